/** What the request bodies of one listener may hold together. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * The memory of the request bodies that one listener has on its way in or being handled. A body is read before anybody knows
 * whether its sender may send it; each is bounded, and ten thousand connections of such bodies would be ten gigabytes.
 */
export class BodyBudget {
  #used = 0;

  /** False when there is no room for `bytes` more; one body alone always has room, whatever is allowed for one. */
  take(bytes: number): boolean {
    if (this.#used > 0 && this.#used + bytes > MOST_BYTES) return false;
    this.#used += bytes;
    return true;
  }

  /** Of a request that is complete: nothing is saved by refusing it now. */
  takeAnyway(bytes: number): void {
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}
