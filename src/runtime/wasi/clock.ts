const REALTIME = 0;
const MONOTONIC = 1;

/** Milliseconds are as fine as a guest gets: a finer clock would help it to time its neighbours. */
export const CLOCK_RESOLUTION = 1_000_000n;

export function isClock(id: number): boolean {
  return id === REALTIME || id === MONOTONIC;
}

/** The clock's time in nanoseconds. */
export function clockTime(id: number): bigint {
  const ms = id === REALTIME ? Date.now() : Math.floor(performance.now());
  return BigInt(ms) * CLOCK_RESOLUTION;
}
