import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig, startReloading } from './reloading.ts';

test('a file that cannot be used is tried again until it can, and complained of once', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-reloading-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'mayfly.yaml');
  writeFileSync(file, 'functions: {}');
  // The watch must not keep a process alive, so the test does.
  const alive = setInterval(() => {}, 1000);
  t.after(() => clearInterval(alive));
  const first = readConfig(folder, {});
  const outcomes: string[] = [];
  const served = Promise.withResolvers<void>();
  let tries = 0;
  using reloading = startReloading({
    path: folder,
    env: {},
    first,
    retryMs: { first: 5, most: 20 },
    apply: async () => {
      // A module whose upload takes its time.
      if (++tries < 4) throw new Error('not yet');
      served.resolve();
      return { deployed: ['late'], removed: [] };
    },
    onOutcome: ({ error }) => outcomes.push(error === null ? 'good' : error.message),
  });
  assert.deepEqual(reloading.standing, { configuration: first.config.hash, refused: null });
  writeFileSync(join(folder, 'late.wasm'), '');
  writeFileSync(file, 'functions: { late: { source: late.wasm } }');
  await reloading.reloader.reload();
  const wanted = readConfig(folder, {}).config.hash;
  assert.deepEqual(reloading.standing, { configuration: first.config.hash, refused: wanted });
  await served.promise;
  await reloading.reloader.reload();
  assert.deepEqual(reloading.standing, { configuration: wanted, refused: null });
  assert.equal(outcomes[0], 'not yet');
  assert.ok(outcomes.slice(1).every((outcome) => outcome === 'good'));
});
