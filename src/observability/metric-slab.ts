import { TRACKS } from '../model/function.ts';
import { type ProblemCode, problems } from '../model/problems.ts';
import { MAX_FUNCTIONS } from '../model/shared.ts';
import { functionCounter, functionCounterCells, STAGES, threadCounterCells } from './definitions.ts';
import { type HistogramShape, observe, requestShape, stageShape } from './histogram.ts';

/**
 * Numbers of all threads in one SharedArrayBuffer: a row per thread, written by that thread alone and therefore without
 * atomics, read and summed by the main thread. A replaced thread goes on in the row of the one that died, so nothing
 * ever counts backwards.
 *
 * A row: status codes seen (a directory: column → code), counters of the thread, rejections by problem, one histogram a
 * stage; then for every function: requests by column of the directory, counters, three histograms, and for each of the
 * revisions that share its requests: how many it answered, how many of them failed, how many were slow.
 */
const CODES = 32;
/** The last column takes the codes that came when the directory was full. */
const OTHER_CODE = CODES - 1;
const PROBLEMS = Object.keys(problems) as ProblemCode[];
const PROBLEM_INDEX = new Map(PROBLEMS.map((code, index) => [code, index]));

const DIRECTORY = 0;
const COUNTERS = DIRECTORY + CODES;
const REJECTIONS = COUNTERS + threadCounterCells.length;
const STAGE_HISTOGRAMS = REJECTIONS + PROBLEMS.length;
const FUNCTIONS = STAGE_HISTOGRAMS + STAGES.length * stageShape.cells;

const FUNCTION_CODES = 0;
const FUNCTION_COUNTERS = FUNCTION_CODES + CODES;
const DURATION = FUNCTION_COUNTERS + functionCounterCells.length;
const COLD_START = DURATION + requestShape.cells;
const QUEUE_WAIT = COLD_START + requestShape.cells;
const REVISIONS = QUEUE_WAIT + requestShape.cells;
const REVISION_REQUESTS = 0;
const REVISION_ERRORS = 1;
const REVISION_SLOW = 2;
const REVISION_CELLS = 3;
const FUNCTION_CELLS = REVISIONS + TRACKS * REVISION_CELLS;

const ROW_CELLS = FUNCTIONS + MAX_FUNCTIONS * FUNCTION_CELLS;

/** Memory for `rows` threads (the main thread has a row too). Pages that are never written cost nothing. */
export function createMetricSlab(rows: number): SharedArrayBuffer {
  return new SharedArrayBuffer(rows * ROW_CELLS * 8);
}

/** One thread's row: the only thing the hot path touches. Times in microseconds, sizes in bytes. */
export class MetricRow {
  readonly #cells: Float64Array;
  /** Column of each status code, −1 before it was seen. */
  readonly #columns = new Int8Array(1000).fill(-1);

  constructor(shared: SharedArrayBuffer, row: number) {
    this.#cells = new Float64Array(shared, row * ROW_CELLS * 8, ROW_CELLS);
    for (let column = 0; column < OTHER_CODE; column++) {
      const code = this.#cells[DIRECTORY + column];
      if (code !== 0) this.#columns[code] = column;
    }
  }

  /** A request was answered. */
  answered(slot: number, status: number, microseconds: number, bytesIn: number, bytesOut: number): void {
    const cells = this.#cells;
    const at = FUNCTIONS + slot * FUNCTION_CELLS;
    let column = this.#columns[status];
    if (column < 0) column = this.#register(status);
    cells[at + FUNCTION_CODES + column]++;
    cells[at + FUNCTION_COUNTERS + functionCounter.requestBytes] += bytesIn;
    cells[at + FUNCTION_COUNTERS + functionCounter.responseBytes] += bytesOut;
    observe(cells, at + DURATION, requestShape, microseconds);
  }

  /** A revision was run for a request; `track` is its place (model/function.ts). */
  revisionAnswered(slot: number, track: number, failed: boolean, slow: boolean): void {
    const at = FUNCTIONS + slot * FUNCTION_CELLS + REVISIONS + track * REVISION_CELLS;
    this.#cells[at + REVISION_REQUESTS]++;
    if (failed) this.#cells[at + REVISION_ERRORS]++;
    if (slow) this.#cells[at + REVISION_SLOW]++;
  }

  /** Adds to one of the `functionCounter`s. */
  add(slot: number, counter: number, amount: number): void {
    this.#cells[FUNCTIONS + slot * FUNCTION_CELLS + FUNCTION_COUNTERS + counter] += amount;
  }

  coldStart(slot: number, microseconds: number): void {
    observe(this.#cells, FUNCTIONS + slot * FUNCTION_CELLS + COLD_START, requestShape, microseconds);
  }

  queueWait(slot: number, microseconds: number): void {
    observe(this.#cells, FUNCTIONS + slot * FUNCTION_CELLS + QUEUE_WAIT, requestShape, microseconds);
  }

  /** `index` of `stage` (definitions.ts). */
  stage(index: number, microseconds: number): void {
    observe(this.#cells, STAGE_HISTOGRAMS + index * stageShape.cells, stageShape, microseconds);
  }

  /** Adds to one of the `threadCounter`s. */
  addThread(counter: number, amount: number): void {
    this.#cells[COUNTERS + counter] += amount;
  }

  /** A request was refused before a function was found for it. */
  rejected(problem: ProblemCode, times = 1): void {
    this.#cells[REJECTIONS + (PROBLEM_INDEX.get(problem) as number)] += times;
  }

  #register(status: number): number {
    const columns = this.#cells.subarray(DIRECTORY, DIRECTORY + OTHER_CODE);
    const free = columns.indexOf(0);
    const column = free < 0 ? OTHER_CODE : free;
    if (column !== OTHER_CODE) columns[column] = status;
    this.#columns[status] = column;
    return column;
  }
}

/** A histogram as read: counts per bucket (not cumulative, the last is above all bounds). */
export interface HistogramReading {
  readonly shape: HistogramShape;
  readonly counts: Float64Array;
  readonly count: number;
  readonly sumSeconds: number;
}

export interface FunctionReading {
  /** Requests by status; 0 stands for codes that found no place in the directory. */
  readonly codes: ReadonlyMap<number, number>;
  /** By cell of `functionCounter`. */
  readonly counters: Float64Array;
  readonly duration: HistogramReading;
  readonly coldStart: HistogramReading;
  readonly queueWait: HistogramReading;
}

export interface RevisionReading {
  readonly requests: number;
  readonly errors: number;
  readonly slow: number;
}

export interface ThreadsReading {
  /** By cell of `threadCounter`. */
  readonly counters: Float64Array;
  readonly rejections: readonly (readonly [ProblemCode, number])[];
  /** By index of `STAGES`. */
  readonly stages: readonly HistogramReading[];
}

/** Sums over all rows. For the main thread. */
export class MetricReader {
  readonly #rows: readonly Float64Array[];

  constructor(shared: SharedArrayBuffer) {
    const count = shared.byteLength / 8 / ROW_CELLS;
    this.#rows = Array.from(
      { length: count },
      (_, row) => new Float64Array(shared, row * ROW_CELLS * 8, ROW_CELLS),
    );
  }

  function(slot: number): FunctionReading {
    const at = FUNCTIONS + slot * FUNCTION_CELLS;
    return {
      codes: this.#codes(at + FUNCTION_CODES),
      counters: this.#sum(at + FUNCTION_COUNTERS, functionCounterCells.length),
      duration: this.#histogram(at + DURATION, requestShape),
      coldStart: this.#histogram(at + COLD_START, requestShape),
      queueWait: this.#histogram(at + QUEUE_WAIT, requestShape),
    };
  }

  revision(slot: number, track: number): RevisionReading {
    const at = FUNCTIONS + slot * FUNCTION_CELLS + REVISIONS + track * REVISION_CELLS;
    const cells = this.#sum(at, REVISION_CELLS);
    return { requests: cells[REVISION_REQUESTS], errors: cells[REVISION_ERRORS], slow: cells[REVISION_SLOW] };
  }

  threads(): ThreadsReading {
    const rejections = this.#sum(REJECTIONS, PROBLEMS.length);
    return {
      counters: this.#sum(COUNTERS, threadCounterCells.length),
      rejections: PROBLEMS.map((code, index) => [code, rejections[index]] as const),
      stages: STAGES.map((_, index) =>
        this.#histogram(STAGE_HISTOGRAMS + index * stageShape.cells, stageShape),
      ),
    };
  }

  /** Empties a slot before another function gets it. No thread may run the old function any more. */
  clearFunction(slot: number): void {
    const at = FUNCTIONS + slot * FUNCTION_CELLS;
    for (const row of this.#rows) row.fill(0, at, at + FUNCTION_CELLS);
  }

  /** Empties a track before another revision gets it. */
  clearRevision(slot: number, track: number): void {
    const at = FUNCTIONS + slot * FUNCTION_CELLS + REVISIONS + track * REVISION_CELLS;
    for (const row of this.#rows) row.fill(0, at, at + REVISION_CELLS);
  }

  #codes(at: number): ReadonlyMap<number, number> {
    const codes = new Map<number, number>();
    for (const row of this.#rows) {
      for (let column = 0; column < CODES; column++) {
        const count = row[at + column];
        if (count === 0) continue;
        const code = column === OTHER_CODE ? 0 : row[DIRECTORY + column];
        codes.set(code, (codes.get(code) ?? 0) + count);
      }
    }
    return codes;
  }

  #histogram(at: number, shape: HistogramShape): HistogramReading {
    const cells = this.#sum(at, shape.cells);
    const counts = cells.subarray(0, shape.cells - 1);
    const count = counts.reduce((sum, value) => sum + value, 0);
    return { shape, counts, count, sumSeconds: cells[shape.cells - 1] / 1e6 };
  }

  #sum(at: number, length: number): Float64Array {
    const sum = new Float64Array(length);
    for (const row of this.#rows) for (let cell = 0; cell < length; cell++) sum[cell] += row[at + cell];
    return sum;
  }
}
