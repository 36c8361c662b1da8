import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { announce, runningServers, stateFolder, theRunningOne } from './runtime-file.ts';

const note = (port: number) => ({
  admin: `http://127.0.0.1:${port}`,
  tokenFile: '/t',
  pid: process.pid,
  config: '/c/mayfly.yaml',
});

test('a note is found while it stands; dead, broken and foreign ones are not', () => {
  const home = mkdtempSync(join(tmpdir(), 'mayfly-notes-'));
  const env = { XDG_STATE_HOME: home };
  try {
    assert.equal(theRunningOne(env), null);
    const folder = stateFolder(env);
    mkdirSync(folder, { recursive: true });
    // The largest process id that Linux gives is 2^22.
    writeFileSync(join(folder, '7.json'), JSON.stringify({ ...note(7), pid: 2 ** 22 + 1 }));
    writeFileSync(join(folder, '8.json'), '{"admin":');
    writeFileSync(join(folder, '9.json'), JSON.stringify({ ...note(9), admin: 'nonsense' }));
    assert.deepEqual(runningServers(env), []);

    const first = announce(note(5000), env);
    assert.equal(existsSync(join(folder, '7.json')), false, 'that of a dead server goes');
    assert.equal(statSync(join(folder, '5000.json')).mode & 0o777, 0o600);
    assert.deepEqual(theRunningOne(env), note(5000));
    const second = announce(note(5001), env);
    assert.equal(theRunningOne(env), null, 'no telling which');
    const usual = announce(note(9091), env);
    assert.deepEqual(theRunningOne(env), note(9091));
    for (const one of [first, second, usual]) one[Symbol.dispose]();
    assert.deepEqual(runningServers(env), []);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
