/** Keeping a server and its load apart: each on a core of its own, so that the load does not take what it measures. */
import { availableParallelism } from 'node:os';
import { findProgram } from './load.ts';

export interface Cores {
  /** What a command begins with to stay on the server's core, and on the client's. */
  readonly server: readonly string[];
  readonly client: readonly string[];
  readonly areApart: boolean;
}

/** The first core for the server, the second for its clients. Where that cannot be they share all there is. */
export function apart(): Cores {
  if (availableParallelism() < 2 || findProgram('taskset') === null)
    return { server: [], client: [], areApart: false };
  return { server: ['taskset', '-c', '0'], client: ['taskset', '-c', '1'], areApart: true };
}
