import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { handlerRevision } from '../../test/support/revision.ts';
import { EpochClock } from './epoch-clock.ts';
import { createEpochMemory } from './epoch-memory.ts';
import type { Guest } from './guest.ts';
import { Guests } from './guests.ts';
import { RuntimeThread } from './runtime-thread.ts';
import { sampleRequest } from './sample-request.ts';

const epoch = createEpochMemory();
let clock: EpochClock;
before(async () => void (clock = await EpochClock.start(epoch)));
after(() => clock.stop());

const REQUEST = sampleRequest('GET', '/', '');

/** Reads the configuration value NAME to 0x800, logs it, prints one line to its standard error, and answers 204. */
const TALKER = {
  fields: `(import "mayfly" "config" (func $config (param i32 i32 i32 i32) (result i32)))
    (import "mayfly" "log" (func $log (param i32 i32 i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (data (i32.const 0x400) "NAME") (data (i32.const 0x410) "\\00\\08\\00\\00\\03\\00\\00\\00")`,
  handle: `(call $log (i32.const 1) (i32.const 0x800)
      (call $config (i32.const 0x400) (i32.const 4) (i32.const 0x800) (i32.const 16)))
    (drop (call $write (i32.const 2) (i32.const 0x410) (i32.const 1) (i32.const 0x420)))
    i64.const 0x0000010000000010`,
};

function run(guest: Guest): { outcome: string; said: string[] } {
  const outcome = guest.run(REQUEST, 1000);
  const said = (guest.logs ?? []).map(({ message }) => message);
  assert.ok(guest.restore());
  return { outcome, said };
}

test('guests of one thread share their imports, and each finds only its own', async () => {
  const guests = new Guests(new RuntimeThread(epoch));
  const talker = await handlerRevision(TALKER);
  const [ann, bob] = ['ann', 'bob'].map((name) => guests.create({ ...talker, env: { NAME: name } })) as [
    Guest,
    Guest,
  ];
  const silent = guests.create(await handlerRevision());
  for (let turn = 0; turn < 3; turn++) {
    assert.deepEqual(run(ann), { outcome: 'answered', said: ['ann', 'ann'] });
    assert.deepEqual(run(bob), { outcome: 'answered', said: ['bob', 'bob'] });
    assert.deepEqual(run(silent), { outcome: 'answered', said: [] }, 'nothing is left of the one before');
  }
});

test('a guest that is made between two requests of another changes nothing for it', async () => {
  const guests = new Guests(new RuntimeThread(epoch));
  const talker = await handlerRevision(TALKER);
  const ann = guests.create({ ...talker, env: { NAME: 'ann' } });
  assert.deepEqual(run(ann).said, ['ann', 'ann']);
  const bob = guests.create({ ...talker, env: { NAME: 'bob' } });
  assert.deepEqual(run(ann).said, ['ann', 'ann']);
  bob.dispose();
  assert.deepEqual(run(ann).said, ['ann', 'ann']);
});

test('revisions keep limits and headers of their own', async () => {
  const guests = new Guests(new RuntimeThread(epoch));
  const revision = await handlerRevision({ body: 'hello' });
  const roomy = guests.create(revision);
  const narrow = guests.create({ ...revision, limits: { ...revision.limits, maxResponseBodyBytes: 4 } });
  for (let turn = 0; turn < 2; turn++) {
    assert.equal(run(roomy).outcome, 'answered');
    assert.equal(run(narrow).outcome, 'response-too-large');
  }
});

test('an answer may lie anywhere: its address and length are unsigned, and outside of the memory it is none', async () => {
  const guests = new Guests(new RuntimeThread(epoch));
  for (const handle of ['i64.const -1', 'i64.const 0x80000000_00000010', 'i64.const 0x0000010080000000']) {
    const guest = guests.create(await handlerRevision({ handle }));
    const { outcome, said } = run(guest);
    assert.equal(outcome, 'invalid-response');
    assert.match(said[0] ?? '', /outside-memory/);
  }
});

test('an answer of one guest is not taken for the answer of the next that gives none', async () => {
  const guests = new Guests(new RuntimeThread(epoch));
  const good = guests.create(await handlerRevision({ body: 'secret' }));
  const bad = guests.create(await handlerRevision({ body: 'other', handle: 'unreachable' }));
  assert.equal(run(good).outcome, 'answered');
  assert.equal(run(bad).outcome, 'trapped');
  const killed = guests.create(await handlerRevision({ handle: '(loop (br 0)) i64.const 0' }));
  assert.equal(killed.run(REQUEST, 5), 'cpu-exceeded');
  assert.ok(killed.restore());
  assert.equal(run(bad).outcome, 'trapped', 'that another guest was stopped is not held against this one');
});

test('a guest that was stopped while it started leaves no mark on the next', async () => {
  const guests = new Guests(new RuntimeThread(epoch));
  const endless = await handlerRevision({ fields: '(func $s (loop (br 0))) (start $s)' });
  assert.throws(() => guests.create(endless), { code: 'initialisation-timeout' });
  const trapping = await handlerRevision({ fields: '(func $s unreachable) (start $s)' });
  assert.throws(() => guests.create(trapping), WebAssembly.RuntimeError);
});
