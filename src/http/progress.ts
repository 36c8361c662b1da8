/** Slower than a byte a millisecond, averaged after the first timeout, is an attack and not a client. */
const MIN_BYTES_PER_MS = 1;

/** How much longer than the timeout moving so many bytes may take. */
export function allowance(bytes: number): number {
  return bytes / MIN_BYTES_PER_MS;
}

/** What a client sends in one phase of a connection (waiting for a request, head, body, the end), and since when. */
export class Progress {
  #start: number;
  #last: number;
  #bytes = 0;

  /** All times are monotonic milliseconds. */
  constructor(now: number) {
    this.#start = now;
    this.#last = now;
  }

  /** Another phase begins. */
  restart(now: number): void {
    this.#start = now;
    this.#last = now;
    this.#bytes = 0;
  }

  received(bytes: number, now: number): void {
    this.#last = now;
    this.#bytes += bytes;
  }

  lastsLongerThan(ms: number, now: number): boolean {
    return now - this.#start > ms;
  }

  /** Nothing came for the whole timeout, or all the time only drops. */
  isTooSlow(timeoutMs: number, now: number): boolean {
    return now - this.#last > timeoutMs || now - this.#start > timeoutMs + allowance(this.#bytes);
  }
}
