import { performance } from 'node:perf_hooks';

/**
 * Milliseconds on the machine's monotonic clock, with a fraction. The same clock on every thread of the process
 * (`performance.now()` alone counts from the start of each thread), and it never jumps when the wall clock is set.
 */
export function monotonicNow(): number {
  return offset + performance.now();
}

const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now();
