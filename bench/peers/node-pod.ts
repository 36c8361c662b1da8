/**
 * node:http in one process that does what a pod does: the same module, rewritten for fresh state, and nothing around it.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { EpochClock } from '../../src/runtime/epoch-clock.ts';
import { createEpochMemory } from '../../src/runtime/epoch-memory.ts';
import { Guests } from '../../src/runtime/guests.ts';
import { Pools } from '../../src/runtime/pools.ts';
import { RuntimeThread } from '../../src/runtime/runtime-thread.ts';
import { revisionOf } from '../lib/revision.ts';
import { NodeHttpFrame } from './node-http-frame.ts';

const { PORT, MODULE } = process.env as Record<string, string>;
const CPU_BUDGET_MS = 3000;
const NOBODY = Buffer.alloc(0);

const epoch = createEpochMemory();
await EpochClock.start(epoch);
const guests = new Guests(new RuntimeThread(epoch));
const pools = new Pools(1, (revision) => guests.create(revision));
const pool = pools.of(revisionOf('orders', readFileSync(MODULE as string)));
const frame = new NodeHttpFrame();

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(request, response, Buffer.concat(chunks)));
}).listen(Number(PORT), '127.0.0.1');

function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const guest = pool.take(performance.now()) ?? pools.grow(pool);
  const outcome = guest?.run(frame.show(request, NOBODY, body), CPU_BUDGET_MS);
  if (guest === null || outcome !== 'answered') {
    response.writeHead(500).end();
    return;
  }
  const { status, body: bytes, bodyStart, bodyEnd } = guest.response;
  // The guest's memory is put back before node:http has written: it needs a copy.
  const copy = Buffer.from(bytes.subarray(bodyStart, bodyEnd));
  response.writeHead(status, ['content-type', 'application/json', 'content-length', String(copy.length)]);
  response.end(copy);
  if (guest.restore()) pool.give(guest);
  else pool.discard(guest);
}
