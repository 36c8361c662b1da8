/** Says of every n-th request that its stages are to be timed. Off is 0, every request is 1. */
export class Sampler {
  every: number;
  #count = 0;

  constructor(every: number) {
    this.every = every;
  }

  next(): boolean {
    if (this.every === 0) return false;
    if (++this.#count < this.every) return false;
    this.#count = 0;
    return true;
  }
}
