/** The inside of a probe: makes one instance of each revision it is sent and says how that went. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { Deadlines } from './epoch-memory.ts';
import type { Guest } from './guest.ts';
import { Guests } from './guests.ts';
import type { ProbeOrder, ProbeReport, ProbeThreadData } from './probe-protocol.ts';
import { rehearse } from './rehearsal.ts';
import { RuntimeThread } from './runtime-thread.ts';

const main = parentPort as MessagePort;
const { epoch } = workerData as ProbeThreadData;
/** One for all probes: the clock never forgets a word that it has once given out. */
const deadlines = new Deadlines(epoch);
const REHEARSAL_MS = 20;

main.on('message', (revision: ProbeOrder) => {
  let guest: Guest;
  try {
    // Nothing of one revision is left for the next: images and dirty map are new each time.
    guest = new Guests(new RuntimeThread(epoch, deadlines)).create(revision);
  } catch (error) {
    return report({ type: 'failed', error: error instanceof Error ? error.message : String(error) });
  }
  report({ type: 'started' });
  // All threads share the machine code of a module: what is compiled here is compiled for them.
  rehearse(guest, Math.min(REHEARSAL_MS, revision.limits.cpuBudgetMs));
  guest.dispose();
  report({ type: 'rehearsed' });
});

function report(message: ProbeReport): void {
  main.postMessage(message);
}
