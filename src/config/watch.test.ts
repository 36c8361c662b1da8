import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { watchConfig, type WatchOptions, type WatchTargets } from './watch.ts';

/** Watches, makes changes, and resolves with the number of times that it was told, once `until` has come true. */
async function watching(
  targets: WatchTargets,
  options: WatchOptions,
  change: (told: () => Promise<void>) => Promise<void>,
) {
  let wake: (() => void) | undefined;
  let calls = 0;
  const watcher = watchConfig(
    targets,
    () => {
      calls++;
      wake?.();
    },
    { settleMs: 20, ...options },
  );
  const told = () => {
    const before = calls;
    return new Promise<void>((resolve) => {
      wake = () => calls > before && resolve();
    });
  };
  // The watch must not keep a process alive, so the test does.
  const alive = setInterval(() => {}, 1000);
  try {
    await change(told);
  } finally {
    clearInterval(alive);
    watcher.close();
  }
  return calls;
}

function scratch(t: { after(fn: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-watch-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a write, and an editor that renames a new file over the old one, again and again', async (t) => {
  const folder = scratch(t);
  const file = join(folder, 'mayfly.yaml');
  writeFileSync(file, '0');
  const calls = await watching({ files: [file], folders: [] }, {}, async (told) => {
    let next = told();
    writeFileSync(file, '1');
    await next;
    for (const text of ['2', '3']) {
      next = told();
      writeFileSync(`${file}~`, text);
      renameSync(`${file}~`, file);
      await next;
    }
    next = told();
    unlinkSync(file);
    await next;
    next = told();
    writeFileSync(file, '4');
    await next;
  });
  assert.equal(calls, 5);
});

test("a ConfigMap's symlink swap", async (t) => {
  const folder = scratch(t);
  for (const version of ['..1', '..2']) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'mayfly.yaml'), version);
  }
  symlinkSync('..1', join(folder, '..data'));
  const file = join(folder, 'mayfly.yaml');
  symlinkSync('..data/mayfly.yaml', file);
  await watching({ files: [file], folders: [] }, {}, async (told) => {
    const next = told();
    symlinkSync('..2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    await next;
  });
});

test('a new file below a folder counts; a neighbour of a file, or the same content again, does not', async (t) => {
  const folder = scratch(t);
  const file = join(folder, 'mayfly.yaml');
  const neighbour = join(folder, 'neighbour');
  const rego = join(folder, 'policies', 'deep');
  mkdirSync(rego, { recursive: true });
  writeFileSync(file, 'same');
  const targets = { files: [file], folders: [join(folder, 'policies')] };
  const calls = await watching(targets, {}, async (told) => {
    const next = told();
    // Someone who looks later than we do, so that we have looked when it tells.
    await watching({ files: [neighbour], folders: [] }, { settleMs: 100 }, async (lateTold) => {
      const late = lateTold();
      writeFileSync(file, 'same');
      writeFileSync(neighbour, 'x');
      await late;
    });
    writeFileSync(join(rego, 'p.rego'), 'package p');
    await next;
  });
  assert.equal(calls, 1);
});

test('without events the poll finds the change', async (t) => {
  const folder = scratch(t);
  const late = join(folder, 'not-yet', 'mayfly.yaml');
  await watching({ files: [late], folders: [] }, { pollMs: 20 }, async (told) => {
    const next = told();
    mkdirSync(join(folder, 'not-yet'));
    writeFileSync(late, 'x');
    await next;
  });
});
