import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits, temporaryFolder } from '../../test/support/control.ts';
import { MayflyError } from '../model/errors.ts';
import { nextSlot } from './slots.ts';
import { openDatabase } from './sqlite.ts';
import { revisionKey, type DeployRecord } from './records.ts';
import { openState, type State } from './state.ts';
import { promote, rollback, type Traffic } from './traffic.ts';

const clock = { now: () => 1 };

function record(name: string, text: string, percent = 100): DeployRecord {
  return {
    function: name,
    owner: 'api',
    settings: null,
    digest: `sha256:${text}`,
    bytes: 1,
    kind: 'handler',
    configuration: { limits, env: {} },
    source: 'test',
    actor: 'test',
    route: (traffic, revision) => promote(traffic, revision, percent),
  };
}

test('a second process is told that it is not alone', () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'state.db');
  using _ = openState(file, { clock });
  assert.throws(
    () => openState(file, { clock }),
    /Cannot open the state: another process has it open \(.*\)\. Is another mayfly running/,
  );
});

test('the file is for its owner only', () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'deep/state.db');
  using state = openState(file, { clock });
  state.deploy(record('a', '1'));
  for (const name of [file, `${file}-wal`]) assert.equal(statSync(name).mode & 0o777, 0o600, name);
});

test('a file that is no database, or one of a newer Mayfly, is left alone with one clear sentence', () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'state.db');
  writeFileSync(file, 'this is not a database, whatever its name says '.repeat(50));
  assert.throws(() => openState(file, { clock }), /it is not a SQLite file/);
  const newer = join(folder.path, 'newer.db');
  openDatabase(newer, ['CREATE TABLE a (b)', 'CREATE TABLE c (d)', 'CREATE TABLE e (f)'])[Symbol.dispose]();
  assert.throws(
    () => openState(newer, { clock }),
    /it was written by a newer Mayfly \(version 3 of it, this one knows 2\)/,
  );
});

test('migrations are applied once, in order, and one that fails leaves the version before it', () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'state.db');
  openDatabase(file, ['CREATE TABLE a (b); INSERT INTO a VALUES (1)'])[Symbol.dispose]();
  assert.throws(() => openDatabase(file, ['', 'INSERT INTO a VALUES (2); INSERT INTO nowhere VALUES (3)']));
  using database = openDatabase(file, ['', 'INSERT INTO a VALUES (4)']);
  assert.deepEqual(
    database.all('SELECT b FROM a').map((row) => row['b']),
    [1, 4],
  );
});

test('several changes together are one: an error takes all of them back', () => {
  using folder = temporaryFolder();
  using state = openState(join(folder.path, 'state.db'), { clock });
  state.deploy(record('kept', '1'));
  assert.throws(() =>
    state.together(() => {
      state.deploy(record('new', '1'));
      state.remove('kept', 'test');
      state.remove('nobody', 'test');
    }),
  );
  assert.deepEqual(
    state.functions().map(({ name }) => name),
    ['kept'],
  );
});

test('old revisions are forgotten, but never one that has traffic', () => {
  using folder = temporaryFolder();
  using state = openState(join(folder.path, 'state.db'), { clock, keepRevisions: 3 });
  state.deploy(record('a', '1'));
  for (let i = 2; i <= 8; i++) state.deploy(record('a', String(i), 10));
  assert.deepEqual(
    state.revisions('a').map(({ number }) => number),
    [8, 7, 6, 1],
  );
  assert.deepEqual(state.digests(), new Set(['sha256:8', 'sha256:7', 'sha256:6', 'sha256:1']));
});

test('traffic that does not sum to 100, or to a revision that is not there, is not written', () => {
  using folder = temporaryFolder();
  using state = openState(join(folder.path, 'state.db'), { clock });
  state.deploy(record('a', '1'));
  assert.throws(() => state.setTraffic('a', [{ revision: 1, weight: 99 }], 'promote', 'test'));
  assert.throws(() => state.setTraffic('a', [{ revision: 2, weight: 100 }], 'promote', 'test'), MayflyError);
  assert.deepEqual(state.function('a')?.traffic, [{ revision: 1, weight: 100 }]);
});

test('the order of keys does not make another revision; any value does', () => {
  const one = { limits, env: { A: '1', B: '2' } };
  assert.equal(revisionKey('d', one), revisionKey('d', { env: { B: '2', A: '1' }, limits: { ...limits } }));
  assert.notEqual(revisionKey('d', one), revisionKey('d', { ...one, env: { A: '1', B: '3' } }));
  assert.notEqual(revisionKey('d', one), revisionKey('d', { ...one, limits: { ...limits, queueSize: 0 } }));
  assert.notEqual(revisionKey('d', one), revisionKey('e', one));
});

test('a slot is free, inside the table, and not the one that was freed last', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 20 }).chain((size) =>
        fc.record({
          size: fc.constant(size),
          taken: fc.uniqueArray(fc.integer({ min: 0, max: size - 1 })),
          last: fc.integer({ min: -1, max: size - 1 }),
        }),
      ),
      ({ size, taken, last }) => {
        if (taken.length === size) {
          assert.throws(() => nextSlot(new Set(taken), last, size), /all \d+ places are taken/);
          return;
        }
        const slot = nextSlot(new Set(taken), last, size);
        assert.ok(slot >= 0 && slot < size && !taken.includes(slot));
        if (taken.length < size - 1) assert.notEqual(slot, last);
      },
    ),
  );
});

/** What the state should be, kept as simply as possible. */
interface Model {
  readonly functions: Map<string, { slot: number; traffic: Traffic; texts: Map<number, string> }>;
  readonly numbers: Map<string, number>;
}

type Step =
  | { do: 'deploy'; name: string; text: string; percent: number }
  | { do: 'promote'; name: string; revision: number; percent: number }
  | { do: 'rollback'; name: string; revision: number | undefined }
  | { do: 'remove'; name: string }
  | { do: 'restart' };

const names = fc.constantFrom('a', 'b', 'c');
const numbers = fc.integer({ min: 1, max: 6 });
const percents = fc.oneof(fc.constantFrom(0, 100), fc.integer({ min: 0, max: 100 }));
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('deploy' as const),
        name: names,
        text: fc.constantFrom('1', '2', '3', '4'),
        percent: percents,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('promote' as const),
        name: names,
        revision: numbers,
        percent: percents,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('rollback' as const),
        name: names,
        revision: fc.option(numbers, { nil: undefined }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), name: names }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  ),
  { maxLength: 30 },
);

/** Does the step to the state; false when it was refused. */
function act(state: State, step: Exclude<Step, { do: 'restart' }>): boolean {
  const { name } = step;
  try {
    if (step.do === 'deploy') state.deploy(record(name, step.text, step.percent));
    else if (step.do === 'remove') state.remove(name, 'test');
    else {
      const found = state.function(name);
      if (found === null) return false;
      const known = state.revisions(name).map(({ number }) => number);
      const traffic =
        step.do === 'promote'
          ? promote(found.traffic, step.revision, step.percent)
          : rollback(found.traffic, known, step.revision);
      state.setTraffic(name, traffic, step.do, 'test');
    }
    return true;
  } catch (error) {
    assert.ok(error instanceof MayflyError, String(error));
    return false;
  }
}

/** Does the step to the model; it is told whether the state refused, and checks that there was a reason. */
function expect(model: Model, step: Exclude<Step, { do: 'restart' }>, accepted: boolean, slot: number): void {
  const found = model.functions.get(step.name);
  const alone = (revision: number) => found?.traffic.length === 1 && found.traffic[0]?.revision === revision;
  if (step.do === 'deploy') {
    const texts = found?.texts ?? new Map<number, string>();
    const same = [...texts].find(([, text]) => text === step.text)?.[0];
    const number = same ?? (model.numbers.get(step.name) ?? 0) + 1;
    assert.equal(accepted, step.percent === 100 || (found !== undefined && !alone(number)));
    if (!accepted) return;
    model.numbers.set(step.name, Math.max(number, model.numbers.get(step.name) ?? 0));
    texts.set(number, step.text);
    const traffic = promote(found?.traffic ?? [], number, step.percent);
    model.functions.set(step.name, { slot: found?.slot ?? slot, traffic, texts });
  } else if (found === undefined) {
    assert.equal(accepted, false);
  } else if (step.do === 'remove') {
    assert.equal(accepted, true);
    model.functions.delete(step.name);
  } else if (step.do === 'promote') {
    const possible = step.percent === 100 || !alone(step.revision);
    const wanted = possible ? promote(found.traffic, step.revision, step.percent) : [];
    assert.equal(accepted, possible && wanted.every(({ revision }) => found.texts.has(revision)));
    if (accepted) found.traffic = wanted;
  } else if (accepted) {
    found.traffic = rollback(found.traffic, [...found.texts.keys()], step.revision);
    assert.ok(found.traffic.every(({ revision }) => found.texts.has(revision)));
  } else {
    const oldest = Math.min(...found.traffic.map(({ revision }) => revision));
    assert.ok(
      step.revision === undefined
        ? found.traffic.length === 1 && ![...found.texts.keys()].some((number) => number < oldest)
        : !found.texts.has(step.revision),
    );
  }
}

test('random deploys, promotions, rollbacks, removals and restarts do what a simple model says', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      using folder = temporaryFolder();
      const file = join(folder.path, 'state.db');
      let state = openState(file, { clock });
      const model: Model = { functions: new Map(), numbers: new Map() };
      try {
        for (const step of sequence) {
          if (step.do === 'restart') {
            state[Symbol.dispose]();
            state = openState(file, { clock });
          } else {
            const accepted = act(state, step);
            expect(model, step, accepted, state.function(step.name)?.slot ?? -1);
          }
          const actual = state.functions().map(({ name, slot, traffic }) => ({ name, slot, traffic }));
          const wanted = [...model.functions]
            .map(([name, { slot, traffic }]) => ({ name, slot, traffic: [...traffic] }))
            .toSorted((a, b) => (a.name < b.name ? -1 : 1));
          assert.deepEqual(actual, wanted);
          assert.equal(new Set(actual.map(({ slot }) => slot)).size, actual.length);
        }
      } finally {
        state[Symbol.dispose]();
      }
    }),
    { numRuns: 60 },
  );
});
