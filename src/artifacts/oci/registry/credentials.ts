/**
 * Who we are to a registry, from the files that `docker login`, `podman login` and their kin write:
 * `config.json` of Docker (with credential helpers) and `auth.json` of containers-auth.json(5).
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { MayflyError } from '../../../model/errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type Credentials =
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  /** A refresh token, exchanged for access tokens. */
  | { readonly type: 'identity'; readonly token: string }
  /** An access token, used as it is. */
  | { readonly type: 'bearer'; readonly token: string };

const entry = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});

const schema = z.looseObject({
  auths: z.record(z.string(), entry).nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
});

export type AuthFile = z.infer<typeof schema>;

/** Docker Hub's entry has a name of its own. */
const HUB = 'https://index.docker.io/v1/';

/** The first that any of the files has for this repository; null: nobody in particular. Throws MayflyError. */
export async function findCredentials(
  registry: string,
  repository: string,
  env: Environment,
): Promise<Credentials | null> {
  for (const file of authFiles(env)) {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
      throw unusable(file, error.code === 'EACCES' ? 'permission denied' : error.message);
    });
    if (text === null) continue;
    const config = parseAuthFile(text, file);
    const helper = helperFor(config, registry);
    if (helper !== null) {
      const found = await askHelper(helper, registry === 'docker.io' ? HUB : registry, env);
      if (found !== null) return found;
    }
    const found = credentialsIn(config, registry, repository, file);
    if (found !== null) return found;
  }
  return null;
}

function authFiles(env: Environment): string[] {
  const home = env['HOME'] ?? homedir();
  const runtime = env['XDG_RUNTIME_DIR'];
  const named = env['REGISTRY_AUTH_FILE'];
  if (named !== undefined && named !== '') return [named];
  return [
    join(env['DOCKER_CONFIG'] ?? join(home, '.docker'), 'config.json'),
    ...(runtime === undefined ? [] : [join(runtime, 'containers/auth.json')]),
    join(env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'containers/auth.json'),
  ];
}

/** Throws MayflyError that quotes nothing of the file: it is full of secrets. */
export function parseAuthFile(text: string, file: string): AuthFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unusable(file, 'it is not JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw unusable(file, `${parsed.error.issues[0]?.path.slice(0, 1).join('.') || 'it'} has the wrong type`);
}

/** Pure: what the file itself says, the most specific entry first (`host/team/app`, `host/team`, `host`). */
export function credentialsIn(
  { auths }: AuthFile,
  registry: string,
  repository: string,
  file: string,
): Credentials | null {
  const entries = new Map(Object.entries(auths ?? {}).map(([key, value]) => [normalKey(key), value]));
  const parts = repository.split('/');
  for (let length = parts.length; length >= 0; length--) {
    const key = [registry, ...parts.slice(0, length)].join('/');
    const found = entries.get(key);
    if (found === undefined) continue;
    const read = readEntry(found, file);
    if (read !== null) return read;
  }
  return null;
}

/** Docker once wrote keys as URLs: `https://host/v1/`. */
function normalKey(key: string): string {
  if (key === HUB || key === 'index.docker.io' || key === 'registry-1.docker.io') return 'docker.io';
  const match = /^https?:\/\/([^/]+)(\/v[12])?\/?$/.exec(key);
  return match?.[1] ?? key;
}

function readEntry(found: z.infer<typeof entry>, file: string): Credentials | null {
  if (found.registrytoken !== undefined && found.registrytoken !== '') {
    return { type: 'bearer', token: found.registrytoken };
  }
  if (found.identitytoken !== undefined && found.identitytoken !== '') {
    return { type: 'identity', token: found.identitytoken };
  }
  if (found.auth !== undefined && found.auth !== '') {
    const text = Buffer.from(found.auth, 'base64').toString('utf8').replace(/\0+$/, '');
    const colon = text.indexOf(':');
    if (colon < 1) throw unusable(file, 'an entry of auths is not base64 of user:password');
    return { type: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  const { username, password } = found;
  return username === undefined || password === undefined ? null : { type: 'basic', username, password };
}

function helperFor({ credHelpers, credsStore }: AuthFile, registry: string): string | null {
  const own = Object.entries(credHelpers ?? {}).find(([key]) => normalKey(key) === registry)?.[1];
  return own ?? (credsStore === '' ? null : (credsStore ?? null));
}

const answer = z.looseObject({ Username: z.string(), Secret: z.string() });
const HELPER_PATIENCE_MS = 30_000;
const LONGEST_ANSWER = 1024 * 1024;

/** The protocol of docker-credential-helpers: the registry on stdin, JSON on stdout. */
async function askHelper(name: string, registry: string, env: Environment): Promise<Credentials | null> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new MayflyError('Cannot sign in: the credential helper has no usable name', {
      where: JSON.stringify(name.slice(0, 50)),
      code: 'registry-credentials',
    });
  }
  const program = `docker-credential-${name}`;
  const { promise, resolve, reject } = Promise.withResolvers<{ code: number | null; out: string }>();
  const child = spawn(program, ['get'], {
    env: env as NodeJS.ProcessEnv,
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: HELPER_PATIENCE_MS,
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (out.length > LONGEST_ANSWER) child.kill();
  });
  child.once('error', reject).once('close', (code) => resolve({ code, out }));
  child.stdin.on('error', () => {}).end(registry);
  const failed = (reason: string, cause?: unknown) =>
    new MayflyError(`Cannot sign in: the credential helper ${reason}`, {
      where: program,
      fix: `Try \`echo ${registry} | ${program} get\`, or sign in again.`,
      code: 'registry-credentials',
      cause,
    });
  let ended: { code: number | null; out: string };
  try {
    ended = await promise;
  } catch (error) {
    throw failed(
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not installed' : 'did not start',
      error,
    );
  }
  // What all helpers say when they have nothing for this registry.
  if (/credentials not found/i.test(ended.out)) return null;
  if (ended.code !== 0) throw failed(ended.code === null ? 'took too long' : `ended with ${ended.code}`);
  let parsed: z.infer<typeof answer>;
  try {
    parsed = answer.parse(JSON.parse(ended.out));
  } catch {
    throw failed('gave an answer that is not one');
  }
  if (parsed.Username === '<token>') return { type: 'identity', token: parsed.Secret };
  return { type: 'basic', username: parsed.Username, password: parsed.Secret };
}

function unusable(file: string, reason: string): MayflyError {
  return new MayflyError(`Cannot read the registry's credentials: ${reason}`, {
    where: file,
    fix: 'Sign in again with `docker login` or `podman login`.',
    code: 'registry-credentials',
  });
}
