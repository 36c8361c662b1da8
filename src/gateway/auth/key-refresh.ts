/** Between two requests for a new key set. An attacker with random key ids must not make us fetch all the time. */
const COOLDOWN_MS = 10_000;
/** Tokens that wait at once: made-up key ids must leave room for the verification of tokens whose keys are known. */
const MAX_WAITING = 256;

/** Asks for a newer key set when a token names a key we lack (keys were rotated), and lets the token wait for it. */
export class KeyRefresh {
  readonly #onUnknownKey: (kid: string) => void;
  readonly #waitMs: number;
  #notBefore = -Infinity;
  #arrival: PromiseWithResolvers<boolean> | null = null;
  #waiting = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param waitMs how long a token may wait for the new key set */
  constructor(onUnknownKey: (kid: string) => void, waitMs: number) {
    this.#onUnknownKey = onUnknownKey;
    this.#waitMs = waitMs;
  }

  /**
   * Resolves to true when a new key set came in time; to false at once when one was asked for a moment ago in vain, or
   * too many wait already.
   */
  ask(kid: string): Promise<boolean> {
    if (this.#arrival !== null) {
      if (this.#waiting === MAX_WAITING) return Promise.resolve(false);
      this.#waiting++;
      return this.#arrival.promise;
    }
    const now = performance.now();
    if (now < this.#notBefore) return Promise.resolve(false);
    this.#notBefore = now + COOLDOWN_MS;
    this.#waiting = 1;
    this.#arrival = Promise.withResolvers<boolean>();
    this.#timer = setTimeout(() => this.#settle(false), this.#waitMs);
    this.#onUnknownKey(kid);
    return this.#arrival?.promise ?? Promise.resolve(true);
  }

  /** A new key set is in force. */
  arrived(): void {
    this.#settle(true);
  }

  #settle(came: boolean): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const arrival = this.#arrival;
    this.#arrival = null;
    arrival?.resolve(came);
  }
}
