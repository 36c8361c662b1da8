/**
 * The entry of every worker that the supervisor starts. Loads only what its role needs, with compiled code kept from the
 * last start, since a thread that died must be back in a moment.
 */
import { enableCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';
import type { ThreadData } from '../model/protocol.ts';

enableCompileCache();
// A guest's trap is an Error with a stack that nobody reads: do not pay for it.
Error.stackTraceLimit = 0;

const data = workerData as ThreadData;
if (data.role === 'front') {
  const { runFront } = await import('./front.ts');
  await runFront(data);
} else {
  const { runLane } = await import('./lane.ts');
  runLane(data);
}
