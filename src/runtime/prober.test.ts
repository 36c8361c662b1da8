import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { handlerRevision } from '../../test/support/revision.ts';
import { EpochClock } from './epoch-clock.ts';
import { createEpochMemory, EpochWords } from './epoch-memory.ts';
import { Prober } from './prober.ts';

const epoch = createEpochMemory();
let clock: EpochClock;
let threads = 0;
before(async () => {
  clock = await EpochClock.start(epoch);
  process.on('worker', () => threads++);
});
beforeEach(() => void (threads = 0));
after(() => clock.stop());

const good = await handlerRevision();

test('probes that end well share a thread, also when they are asked for at once', async () => {
  const prober = new Prober(epoch);
  const words = new EpochWords(epoch);
  const before = words.threads;
  await Promise.all([prober.probe(good), prober.probe(good), prober.probe(good)]);
  await prober.probe(good);
  assert.equal(threads, 1);
  assert.equal(words.threads, before + 1, 'the clock has one deadline more to look at, however many probes');
});

const hostile: Readonly<Record<string, string>> = {
  traps: '(func $s unreachable) (start $s)',
  'loops without end': '(func $s (loop (br 0))) (start $s)',
  'recurses without end': '(func $s (call $s)) (start $s)',
};
for (const [name, fields] of Object.entries(hostile)) {
  test(`a start function that ${name} is refused, and the next module gets another thread`, async () => {
    const prober = new Prober(epoch);
    await prober.probe(good);
    await assert.rejects(prober.probe(await handlerRevision({ fields })), { code: 'probe-failed' });
    await prober.probe(good);
    assert.equal(threads, 2);
  });
}

test('a probe that takes too long is ended with its thread, and the next one is not affected', async () => {
  const impatient = new Prober(epoch, { patienceMs: 1 });
  await assert.rejects(impatient.probe(good), /it took longer than 1 ms/);
  await assert.rejects(impatient.probe(good), /it took longer than 1 ms/);
  assert.equal(threads, 2);
});

test('how sample requests end is nobody’s business: the function starts, and the thread is good for the next', async () => {
  const prober = new Prober(epoch);
  const tables = '(table 1 funcref)';
  for (const handle of [
    'unreachable',
    '(loop (br 0)) i64.const 0',
    'i64.const -1',
    '(drop (memory.grow (i32.const 1))) i64.const 0',
    '(drop (table.grow (ref.null func) (i32.const 1))) i64.const 0',
  ]) {
    await prober.probe(await handlerRevision({ fields: tables, handle }));
  }
  await prober.probe(good);
  assert.equal(threads, 1);
});

test('what one module left on the thread is not there for the next', async () => {
  // Each fills its memory at start; together they would take far more than the thread may have.
  const prober = new Prober(epoch);
  const fields =
    '(func $s (drop (memory.grow (i32.const 200))) (memory.fill (i32.const 0) (i32.const 255) (i32.const 0xc80000))) (start $s)';
  const greedy = await handlerRevision({ fields });
  const check =
    '(func $s (loop $l (if (i32.load8_u offset=0x1000 (global.get $at)) (then unreachable)) (global.set $at (i32.add (global.get $at) (i32.const 1))) (br_if $l (i32.lt_u (global.get $at) (i32.const 0x1e000))))) (global $at (mut i32) (i32.const 0)) (start $s)';
  const zeros = await handlerRevision({ fields: check });
  for (let round = 0; round < 20; round++) {
    await prober.probe(greedy);
    await prober.probe(zeros);
  }
  assert.equal(threads, 1);
});

test('a thread that waits too long for the next probe is ended', async () => {
  const prober = new Prober(epoch, { idleMs: 1 });
  const ended = new Promise((resolve) => process.once('worker', (worker) => worker.once('exit', resolve)));
  await prober.probe(good);
  const keepAlive = setInterval(() => undefined, 1000);
  await ended;
  clearInterval(keepAlive);
  await prober.probe(good);
  assert.equal(threads, 2);
});
