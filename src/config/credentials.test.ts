import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { checkConfig, loadConfig } from './load.ts';
import { watchConfig } from './watch.ts';
import { watchTargets } from './watched.ts';

const CONFIG = 'security: { jwt_secret: "${JWT_SECRET}" }\n';

/** A folder as a node makes it: what is in it changes in one step. */
class Secrets {
  readonly folder: string;
  #versions = 0;

  constructor(t: TestContext, values: Readonly<Record<string, string>>) {
    this.folder = mkdtempSync(join(tmpdir(), 'mayfly-credentials-'));
    t.after(() => rmSync(this.folder, { recursive: true }));
    this.write(values);
    for (const name of Object.keys(values)) symlinkSync(join('..data', name), join(this.folder, name));
  }

  write(values: Readonly<Record<string, string>>): void {
    const version = `..version-${++this.#versions}`;
    mkdirSync(join(this.folder, version));
    for (const [name, value] of Object.entries(values))
      writeFileSync(join(this.folder, version, name), value);
    symlinkSync(version, join(this.folder, '..next'));
    renameSync(join(this.folder, '..next'), join(this.folder, '..data'));
  }
}

function configFile(t: TestContext, text = CONFIG): string {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-credentials-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'mayfly.yaml'), text);
  return folder;
}

const secretIn = (folder: string, env: Record<string, string>) =>
  loadConfig(folder, env).settings.security.jwt_secret;

test('a variable may be a file, byte for byte; the environment wins', (t) => {
  const folder = configFile(t);
  const value = `${'s'.repeat(40)} \n`;
  const env = { CREDENTIALS_DIRECTORY: new Secrets(t, { JWT_SECRET: value }).folder };
  assert.equal(secretIn(folder, env), value);
  assert.equal(secretIn(folder, { ...env, JWT_SECRET: 'e'.repeat(40) }), 'e'.repeat(40));
});

test('files override no keys of the configuration', (t) => {
  const folder = configFile(t, 'server: { port: 8123 }\n');
  const { folder: secrets } = new Secrets(t, { PORT: '1', LOG_LEVEL: 'debug', MAYFLY_HOST: '::' });
  const { server, logging } = loadConfig(folder, { CREDENTIALS_DIRECTORY: secrets }).settings;
  assert.deepEqual([server.port, server.host, logging.level], [8123, '0.0.0.0', 'info']);
});

test('a folder that is not there, a variable that is not in it: a sentence, and no value', (t) => {
  const folder = configFile(t);
  const messages = (directory: string) =>
    checkConfig(folder, { CREDENTIALS_DIRECTORY: directory }).issues.map(({ message }) => message);
  assert.match(messages('/nowhere')[0] ?? '', /the folder that CREDENTIALS_DIRECTORY names.*ENOENT/);
  const secret = 'x'.repeat(40);
  const [wrong = ''] = messages(new Secrets(t, { JWT_SECRETS: secret }).folder);
  assert.match(wrong, /needs the environment variable JWT_SECRET, which is not set/);
  assert.ok(!wrong.includes(secret));
});

test('another value is noticed', { timeout: 20_000 }, async (t) => {
  const folder = configFile(t);
  const secrets = new Secrets(t, { JWT_SECRET: 'a'.repeat(40) });
  const env = { CREDENTIALS_DIRECTORY: secrets.folder };
  const changed = Promise.withResolvers<void>();
  const watcher = watchConfig(watchTargets(loadConfig(folder, env)), changed.resolve);
  t.after(() => watcher.close());
  secrets.write({ JWT_SECRET: 'b'.repeat(40) });
  await changed.promise;
  assert.equal(secretIn(folder, env), 'b'.repeat(40));
});
