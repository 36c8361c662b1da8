import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/control.ts';
import { loadConfig } from '../config/load.ts';
import { resolveConfig, type Resolved } from '../config/resolve.ts';
import { createReloader, type ReloadOutcome } from './reload.ts';

/** A configuration file that tests rewrite, and a reloader that follows it. */
function following(folder: string, apply: (config: Resolved) => Promise<void> = async () => {}) {
  const file = join(folder, 'mayfly.yaml');
  const load = () => resolveConfig(loadConfig(file, {}));
  const write = (text: string) => writeFileSync(file, text);
  write('server: { port: 8080 }');
  const outcomes: ReloadOutcome[] = [];
  const applied: Resolved[] = [];
  const reloader = createReloader({
    running: load(),
    load,
    apply: async (config) => {
      await apply(config);
      applied.push(config);
      return { deployed: ['a'], removed: [] };
    },
    onOutcome: (outcome) => void outcomes.push(outcome),
    clock: { now: () => 7 },
  });
  return { reloader, write, outcomes, applied };
}

test('a good file is put in force', async () => {
  using folder = temporaryFolder();
  const { reloader, write, outcomes, applied } = following(folder.path);
  write('function: { request_timeout: 5s }');
  const outcome = await reloader.reload();
  assert.deepEqual(outcome, { at: 7, error: null, deployed: ['a'], removed: [], needsRestart: [] });
  assert.equal(applied.length, 1);
  assert.equal(reloader.last, outcome);
  assert.deepEqual(outcomes, [outcome]);
});

test('a bad file is not applied; the outcome says what is wrong', async () => {
  using folder = temporaryFolder();
  const { reloader, write, applied } = following(folder.path);
  write('server: { prot: 80 }');
  const outcome = await reloader.reload();
  assert.match(outcome.error?.message ?? '', /server\.prot/);
  assert.deepEqual(applied, []);
  write('server: { port: 8080 }');
  assert.equal((await reloader.reload()).error, null);
});

test('what cannot be applied is an outcome too', async () => {
  using folder = temporaryFolder();
  const { reloader } = following(folder.path, async () => {
    throw new Error('no such rule');
  });
  assert.equal((await reloader.reload()).error?.message, 'no such rule');
});

test('keys that act only after a restart are named, until they are as they were', async () => {
  using folder = temporaryFolder();
  const { reloader, write } = following(folder.path);
  write('server: { port: 80, host: "127.0.0.1", threads: 3 }\nadmin: { port: 1234 }');
  assert.deepEqual((await reloader.reload()).needsRestart, [
    'server.host',
    'server.port',
    'server.threads',
    'monitoring.host',
    'admin.port',
  ]);
  write('server: { port: 8080 }');
  assert.deepEqual((await reloader.reload()).needsRestart, []);
});

test('reloads never overlap; those asked for meanwhile become one, which sees the newest file', async () => {
  using folder = temporaryFolder();
  let running = 0;
  const gate = Promise.withResolvers<void>();
  const { reloader, write, applied } = following(folder.path, async () => {
    assert.equal(++running, 1);
    await gate.promise;
    running--;
  });
  const first = reloader.reload();
  await new Promise(setImmediate);
  const second = reloader.reload();
  const third = reloader.reload();
  write('server: { timeout: 7s }');
  gate.resolve();
  await Promise.all([first, second, third]);
  assert.equal(second, third);
  assert.deepEqual(
    applied.map(({ http }) => http.timeoutMs),
    [30_000, 7000],
  );
});
