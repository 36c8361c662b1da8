import type { Outcome } from './guest.ts';
import type { Instance } from './instance.ts';

const PAGE_BYTES = 65_536;

/**
 * Why a guest's run ended with an exception. Traps look alike from outside: what tells them apart is the state the
 * guest was left in. A guest that trapped with its memory at the ceiling is taken to have run out of it, since that is
 * what allocators do when they get no more.
 */
export function classifyFailure(error: unknown, instance: Instance, memoryBytes: number): Outcome {
  if (instance.wasKilled()) return 'cpu-exceeded';
  if (error instanceof RangeError && /call stack/.test(error.message)) return 'stack-overflow';
  return instance.bytes.length + PAGE_BYTES > memoryBytes ? 'out-of-memory' : 'trapped';
}
