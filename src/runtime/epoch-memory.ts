import { monotonicMs } from './monotonic.ts';

/** What the words of the epoch memory hold. Times are monotonic.ts', in whole milliseconds modulo 2³². */
const EPOCH = 0;
/** Until then the clock may sleep. */
const SLEEPS_UNTIL = 1;
/** The clock waits here; 1: it is wanted. */
const WANTED = 2;
const STOPPED = 3;
/** How many threads there have been that run guests, and from `DEADLINES` on the last deadline that each of them set. */
const THREADS = 4;
const DEADLINES = 16;

/** While guests run, the clock sleeps no longer than this: an inline budget (10 ms) then needs nobody to wake it up. */
const BUSY_SLEEP_MS = 8;
const IDLE_SLEEP_MS = 1000;
/** More threads than there are words for their deadlines: then the clock just ticks. */
const CROWDED_SLEEP_MS = 1;

/** The memory with the epoch word that prepared modules import: one page, shared. Its time stands still until a clock runs. */
export function createEpochMemory(): WebAssembly.Memory {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  Atomics.store(new Int32Array(memory.buffer), EPOCH, Math.floor(monotonicMs()) | 0);
  return memory;
}

/** A thread's word with the clock. What it runs next is stopped at a deadline; the clock has to be awake by then. */
export class Deadlines {
  readonly #words: Int32Array;
  readonly #own: number;

  constructor(epoch: WebAssembly.Memory) {
    this.#words = new Int32Array(epoch.buffer);
    this.#own = DEADLINES + Atomics.add(this.#words, THREADS, 1);
  }

  /** Costs two memory accesses, and a system call only when the clock would sleep beyond the deadline. */
  announce(deadline: number): void {
    const words = this.#words;
    if (this.#own < words.length) Atomics.store(words, this.#own, deadline);
    // In this order: the clock says until when it sleeps, and only then looks at the deadlines.
    if (((deadline - Atomics.load(words, SLEEPS_UNTIL)) | 0) < 0) wake(words);
  }
}

/** The clock's own side: says when it has to look again. */
export class EpochWords {
  readonly #words: Int32Array;

  constructor(epoch: WebAssembly.Memory) {
    this.#words = new Int32Array(epoch.buffer);
  }

  get stopped(): boolean {
    return Atomics.load(this.#words, STOPPED) === 1;
  }

  /** How many threads there have been that run guests. */
  get threads(): number {
    return Atomics.load(this.#words, THREADS);
  }

  stop(): void {
    Atomics.store(this.#words, STOPPED, 1);
    wake(this.#words);
  }

  /** Writes the time, and returns how many milliseconds the clock may sleep unless it is woken. */
  write(nowMs: number): number {
    const words = this.#words;
    const now = Math.floor(nowMs) | 0;
    Atomics.store(words, EPOCH, now);
    const { threads } = this;
    if (DEADLINES + threads > words.length) return this.#sleep(now, CROWDED_SLEEP_MS);
    // First said, then looked: a deadline set in between is seen here, or its thread sees that it has to wake the clock.
    this.#sleep(now, IDLE_SLEEP_MS);
    if (soonest(words, threads, now) === Infinity) return IDLE_SLEEP_MS;
    this.#sleep(now, BUSY_SLEEP_MS);
    return Math.min(BUSY_SLEEP_MS, soonest(words, threads, now) - (nowMs - Math.floor(nowMs)));
  }

  /** Sleeps until `write` has to be called again. */
  sleep(ms: number): void {
    Atomics.wait(this.#words, WANTED, 0, ms);
    Atomics.store(this.#words, WANTED, 0);
  }

  #sleep(now: number, ms: number): number {
    Atomics.store(this.#words, SLEEPS_UNTIL, (now + ms) | 0);
    return ms;
  }
}

function wake(words: Int32Array): void {
  Atomics.store(words, WANTED, 1);
  Atomics.notify(words, WANTED);
}

/** Milliseconds from `now` to the first deadline that is still to come; those that have passed do not count any more. */
function soonest(words: Int32Array, threads: number, now: number): number {
  let ms = Infinity;
  for (let at = DEADLINES; at < DEADLINES + threads; at++) {
    const left = (Atomics.load(words, at) - now) | 0;
    if (left > 0 && left < ms) ms = left;
  }
  return ms;
}
