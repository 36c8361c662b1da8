/** Milliseconds of the clock that all threads of the process share (process.hrtime), as a cheap call. */
const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export function monotonicMs(): number {
  return performance.now() + offset;
}
