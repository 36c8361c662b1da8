import { randomBytes } from 'node:crypto';

/**
 * Request ids that are unique over threads and restarts at the cost of a counter: a random prefix per thread, then a
 * number. They are names, not secrets.
 */
export class RequestIds {
  readonly #prefix = randomBytes(6).toString('hex');
  #count = 0;

  next(): string {
    return `${this.#prefix}-${(this.#count++).toString(36)}`;
  }
}
