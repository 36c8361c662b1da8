/** The inside of a probe: makes one instance of each revision it is sent and says how that went. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { RevisionSpec } from '../model/function.ts';
import type { Guest } from './guest.ts';
import { Guests } from './guests.ts';
import type { ProbeOrder, ProbeReport, ProbeThreadData } from './probe-protocol.ts';
import { RuntimeThread } from './runtime-thread.ts';
import { sampleRequest } from './sample-request.ts';

const main = parentPort as MessagePort;
const { epoch } = workerData as ProbeThreadData;
const REHEARSAL_MS = 20;
const SAMPLES = [sampleRequest('GET', '/', ''), sampleRequest('POST', '/', '{}')];

main.on('message', (revision: ProbeOrder) => {
  let guest: Guest;
  try {
    // Nothing of one revision is left for the next: images and dirty map are new each time.
    guest = new Guests(new RuntimeThread(epoch)).create(revision);
  } catch (error) {
    return report({ type: 'failed', error: error instanceof Error ? error.message : String(error) });
  }
  report({ type: 'started' });
  rehearse(guest, revision);
  guest.dispose();
  report({ type: 'rehearsed' });
});

/**
 * Runs requests that nobody sent and forgets how they end. All threads share the machine code of a module, and the engine
 * compiles a function when it is first called: this way it is not the first customer who waits for that.
 */
function rehearse(guest: Guest, { limits }: RevisionSpec): void {
  for (const sample of SAMPLES) {
    guest.run(sample, Math.min(REHEARSAL_MS, limits.cpuBudgetMs));
    if (!guest.restore()) return;
  }
}

function report(message: ProbeReport): void {
  main.postMessage(message);
}
