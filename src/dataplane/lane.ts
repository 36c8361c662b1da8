/** Wires a lane thread: runs what front threads send, and follows the main thread's snapshots. */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import { Lane } from '../gateway/lane.ts';
import type { ThreadData, ToThread } from '../model/protocol.ts';
import { createPools, main, post, revisionsOf } from './thread.ts';

export function runLane(data: ThreadData): void {
  yieldToFronts();
  const lane = new Lane(createPools(data));
  lane.setRevisions(revisionsOf(data.snapshot), performance.now());
  main.on('message', (message: ToThread) => {
    switch (message.type) {
      case 'snapshot':
        lane.setRevisions(revisionsOf(message.snapshot), performance.now());
        return post({ type: 'applied', version: message.snapshot.version });
      case 'ping':
        return post({ type: 'pong', id: message.id });
      case 'lane':
        return lane.serve(message.port as unknown as MessagePort);
      case 'drain':
        return post({ type: 'drained', aborted: 0 });
    }
  });
  post({ type: 'ready', port: null, tlsPort: null });
}

/** A lane gets what the fronts leave. Linux has priorities per thread; elsewhere lanes compete as equals. */
function yieldToFronts(): void {
  if (process.platform !== 'linux') return;
  try {
    const threadId = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(threadId, 10);
  } catch {
    // Not permitted here (a sandbox without /proc): a matter of speed, not of correctness.
  }
}
