import { MAX_FUNCTIONS } from '../model/shared.ts';
import { type Waiter, WaitingLine } from './waiting-line.ts';

/** How often a thread with waiting requests looks for deadlines that are over. */
const TICK_MS = 5;

/** Memory of the counters for `rows` threads (front and lane threads alike; a replaced thread gets its row again). */
export function createConcurrencyTable(rows: number): SharedArrayBuffer {
  // Per function: in flight and waiting over all threads; per row the same again, and one bell.
  return new SharedArrayBuffer(4 * (2 * MAX_FUNCTIONS + rows * (2 * MAX_FUNCTIONS + 1)));
}

/** The counters themselves: a total per function, and each thread's part of it. */
class Counters {
  readonly rows: number;
  readonly inFlight: Int32Array;
  readonly waiting: Int32Array;
  readonly inFlightOf: Int32Array;
  readonly waitingOf: Int32Array;
  readonly bells: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.rows = (shared.byteLength / 4 - 2 * MAX_FUNCTIONS) / (2 * MAX_FUNCTIONS + 1);
    const perRow = this.rows * MAX_FUNCTIONS;
    this.inFlight = new Int32Array(shared, 0, MAX_FUNCTIONS);
    this.waiting = new Int32Array(shared, 4 * MAX_FUNCTIONS, MAX_FUNCTIONS);
    this.inFlightOf = new Int32Array(shared, 8 * MAX_FUNCTIONS, perRow);
    this.waitingOf = new Int32Array(shared, 8 * MAX_FUNCTIONS + 4 * perRow, perRow);
    this.bells = new Int32Array(shared, 8 * MAX_FUNCTIONS + 8 * perRow, this.rows);
  }

  /** Tells one thread with requests waiting for `slot`, if there is one, that a place is free. */
  ring(slot: number, from: number): void {
    for (let step = 1; step <= this.rows; step++) {
      const row = (from + step) % this.rows;
      if (Atomics.load(this.waitingOf, row * MAX_FUNCTIONS + slot) === 0) continue;
      Atomics.add(this.bells, row, 1);
      Atomics.notify(this.bells, row);
      return;
    }
  }
}

/** Requests of a function over all threads, for metrics and the autoscaler. */
export function readConcurrency(
  shared: SharedArrayBuffer,
  slot: number,
): { inFlight: number; waiting: number } {
  const counters = new Counters(shared);
  return { inFlight: Atomics.load(counters.inFlight, slot), waiting: Atomics.load(counters.waiting, slot) };
}

/**
 * Gives back what a dead thread still held, and wakes others for the places. The supervisor calls it after the thread
 * has ended and before a new one gets its row.
 */
export function clearConcurrencyRow(shared: SharedArrayBuffer, row: number): void {
  const counters = new Counters(shared);
  for (let slot = 0; slot < MAX_FUNCTIONS; slot++) {
    const cell = row * MAX_FUNCTIONS + slot;
    const waiting = Atomics.exchange(counters.waitingOf, cell, 0);
    if (waiting !== 0) Atomics.sub(counters.waiting, slot, waiting);
    const held = Atomics.exchange(counters.inFlightOf, cell, 0);
    if (held !== 0) Atomics.sub(counters.inFlight, slot, held);
    for (let place = 0; place < held; place++) counters.ring(slot, row + place);
  }
}

/**
 * Requests in flight per function, limited over all threads, with a bounded queue in front. One object per thread.
 *
 * A free place costs one compare-and-swap and one add. Who finds none waits in the line of its own thread; how many wait
 * is counted over all threads. A place that becomes free goes to this thread's line or to another thread's, in proportion
 * to how many wait where; newcomers do not overtake those who wait.
 */
export class Concurrency {
  readonly #counters: Counters;
  readonly #row: number;
  readonly #base: number;
  /** This thread's row of places held. Nobody else writes it while the thread lives, so it needs no atomics. */
  readonly #held: Int32Array;
  readonly #now: () => number;
  readonly #lines = new Map<number, WaitingLine>();
  readonly #max = new Int32Array(MAX_FUNCTIONS);
  #turn = 0;
  #timer: NodeJS.Timeout | null = null;
  #listening = false;

  constructor(shared: SharedArrayBuffer, row: number, now: () => number) {
    this.#counters = new Counters(shared);
    if (row < 0 || row >= this.#counters.rows) throw new RangeError(`There is no concurrency row ${row}`);
    this.#row = row;
    this.#base = row * MAX_FUNCTIONS;
    this.#held = this.#counters.inFlightOf.subarray(this.#base, this.#base + MAX_FUNCTIONS);
    this.#now = now;
  }

  /**
   * Takes a place of function `slot` if fewer than `max` are taken and nobody waits for one.
   * Whoever gets true must call `leave(slot)` once, from the same thread.
   */
  tryEnter(slot: number, max: number): boolean {
    return Atomics.load(this.#counters.waiting, slot) === 0 && this.#takePlace(slot, max);
  }

  /**
   * Like `tryEnter`, but waits in line: `queued` means that `waiter` will be called, after this call has returned.
   * `full`: `queueSize` requests wait already over all threads.
   */
  enter(
    slot: number,
    max: number,
    queueSize: number,
    timeoutMs: number,
    waiter: Waiter,
  ): 'entered' | 'queued' | 'full' {
    if (this.tryEnter(slot, max)) return 'entered';
    const counters = this.#counters;
    if (Atomics.add(counters.waiting, slot, 1) >= queueSize) {
      Atomics.sub(counters.waiting, slot, 1);
      // A place may have become free in between, and its owner may have seen us waiting.
      return this.#takePlace(slot, max) ? 'entered' : 'full';
    }
    Atomics.add(counters.waitingOf, this.#base + slot, 1);
    const now = this.#now();
    let line = this.#lines.get(slot);
    if (line === undefined) this.#lines.set(slot, (line = new WaitingLine(now)));
    line.add(waiter, timeoutMs, now);
    this.#max[slot] = max;
    this.#listen();
    // The last place may have been given back just before we were seen waiting; whoever gives one back from now on sees us.
    if (line.size === 1 && this.#takePlace(slot, max)) {
      line.withdraw(waiter, now);
      this.#uncount(slot);
      return 'entered';
    }
    return 'queued';
  }

  /** Gives a place back. */
  leave(slot: number): void {
    const counters = this.#counters;
    this.#held[slot]--;
    Atomics.sub(counters.inFlight, slot, 1);
    if (Atomics.load(counters.waiting, slot) !== 0) this.#offer(slot);
  }

  /** Takes a waiting request out (its client went away). False: it is not waiting any more. */
  withdraw(slot: number, waiter: Waiter): boolean {
    const line = this.#lines.get(slot);
    if (line === undefined || !line.withdraw(waiter, this.#now())) return false;
    this.#uncount(slot);
    return true;
  }

  inFlight(slot: number): number {
    return Atomics.load(this.#counters.inFlight, slot);
  }

  waiting(slot: number): number {
    return Atomics.load(this.#counters.waiting, slot);
  }

  /** Drops everybody who waits on this thread (it is draining). */
  close(): void {
    for (const [slot, line] of this.#lines) {
      for (let waiter = line.next(this.#now()); waiter !== null; waiter = line.next(this.#now())) {
        this.#uncount(slot);
        waiter.onDropped();
      }
    }
    this.#rest();
  }

  #takePlace(slot: number, max: number): boolean {
    const total = this.#counters.inFlight;
    for (;;) {
      const taken = Atomics.load(total, slot);
      if (taken >= max) return false;
      if (Atomics.compareExchange(total, slot, taken, taken + 1) !== taken) continue;
      this.#held[slot]++;
      return true;
    }
  }

  /** A place is free and somebody waits: here or elsewhere, in proportion. */
  #offer(slot: number): void {
    const line = this.#lines.get(slot);
    const here = line?.size ?? 0;
    const everywhere = Atomics.load(this.#counters.waiting, slot);
    this.#turn = (this.#turn + 1) | 0;
    if (line !== undefined && here > 0 && (here >= everywhere || (this.#turn >>> 0) % everywhere < here)) {
      this.#admit(slot, line);
    } else {
      this.#counters.ring(slot, this.#row);
    }
  }

  /** Lets in as many of this thread's line as there are places; drops the overdue first. */
  #admit(slot: number, line: WaitingLine): void {
    // Whoever enters may be done and leave before `onEntered` returns: the loop below goes on with that place.
    if (line.admitting) return;
    line.admitting = true;
    const now = this.#now();
    this.#dropOverdue(slot, line, now);
    while (line.size > 0 && this.#takePlace(slot, this.#max[slot])) {
      const waiter = line.next(now) as Waiter;
      this.#uncount(slot);
      waiter.onEntered();
    }
    line.admitting = false;
  }

  #dropOverdue(slot: number, line: WaitingLine, now: number): void {
    for (let waiter = line.overdue(now); waiter !== null; waiter = line.overdue(now)) {
      this.#uncount(slot);
      waiter.onDropped();
    }
  }

  #uncount(slot: number): void {
    Atomics.sub(this.#counters.waitingOf, this.#base + slot, 1);
    Atomics.sub(this.#counters.waiting, slot, 1);
  }

  /** While somebody waits here: hear the bell, and look at the deadlines. */
  #listen(): void {
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    if (this.#listening) return;
    this.#listening = true;
    const heard = Atomics.load(this.#counters.bells, this.#row);
    const bell = Atomics.waitAsync(this.#counters.bells, this.#row, heard);
    const onBell = (): void => {
      this.#listening = false;
      if (this.#timer !== null) this.#listen();
      this.#tick();
    };
    if (bell.async) void bell.value.then(onBell);
    else queueMicrotask(onBell);
  }

  #tick(): void {
    for (const [slot, line] of this.#lines) {
      this.#admit(slot, line);
      if (line.size === 0) this.#lines.delete(slot);
    }
    if (this.#lines.size === 0) this.#rest();
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#lines.clear();
  }
}
