/**
 * Milliseconds of the clock that all threads of the process share (process.hrtime), as a cheap call. `performance.now`
 * counts the same clock from another origin in every thread.
 */
export function monotonicMs(): number {
  return performance.now() + offset;
}

const offset = measureOffset();

/** Several tries, of which the one that was interrupted least counts. */
function measureOffset(): number {
  let [best, smallestGap] = [0, Infinity];
  for (let attempt = 0; attempt < 20; attempt++) {
    const before = performance.now();
    const shared = Number(process.hrtime.bigint()) / 1e6;
    const after = performance.now();
    if (after - before < smallestGap) [best, smallestGap] = [shared - (before + after) / 2, after - before];
  }
  return best;
}
