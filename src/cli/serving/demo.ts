/**
 * Two requests to try at once, one that is allowed and one that is denied. A folder says in `demo.json` which ones show
 * it best; without it they follow from the routes, as far as those tell.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { METHODS, type MethodName } from '../../model/method.ts';
import { MayflyError } from '../../model/errors.ts';
import type { RouteSpec } from '../../model/route.ts';

const call = z.strictObject({
  method: z.enum(METHODS.filter((name) => name !== '')).default('GET'),
  path: z.string().startsWith('/'),
  /** Of the token that goes with it; null: none. */
  claims: z.record(z.string(), z.unknown()).nullable().default(null),
  body: z.unknown().optional(),
});
const schema = z.strictObject({ allowed: call.nullable(), denied: call.nullable() });

export type DemoCall = z.output<typeof call>;
export type Demo = z.output<typeof schema>;

const DEMO_FILE = 'demo.json';

/** `demo.json` beside the configuration, null when there is none. Throws MayflyError when it is not one. */
export function readDemo(directory: string): Demo | null {
  const file = join(directory, DEMO_FILE);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new MayflyError('Cannot use the demonstration', {
      where: file,
      fix: `${(error as Error).message}\nMake it { "allowed": { "method", "path", "claims", "body" }, "denied": { … } }, or delete it.`,
      exitCode: 2,
      code: 'bad-demo',
      cause: error,
    });
  }
}

/** What the routes alone tell: a route without policy answers, a protected one refuses whoever brings no token. */
export function demoFromRoutes(routes: readonly RouteSpec[], canSign: boolean): Demo {
  const open = routes.find(({ auth, policy }) => policy === null && (canSign || auth !== 'required'));
  const closed = routes.find(({ auth }) => auth === 'required');
  return {
    allowed:
      open === undefined
        ? null
        : { ...callOf(open), claims: open.auth === 'required' ? { sub: 'demo' } : null },
    denied: closed === undefined ? null : callOf(closed),
  };
}

function callOf({ path, methods }: RouteSpec): DemoCall {
  const method: MethodName = methods === null || methods.includes('GET') ? 'GET' : (methods[0] ?? 'GET');
  return { method, path: path.replace(/\*$/, ''), claims: null };
}

/** A line for a shell, to paste as it is. */
export function curlLine(gateway: string, { method, path, body }: DemoCall, token: string | null): string {
  const words = ['curl', '-i'];
  const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
  if (method !== (text === null ? 'GET' : 'POST'))
    words.push(...(method === 'HEAD' ? ['-I'] : ['-X', method]));
  if (token !== null) words.push('-H', `Authorization: Bearer ${token}`);
  if (text !== null) words.push('-H', 'Content-Type: application/json', '-d', text);
  words.push(gateway + path);
  return words.map(shellWord).join(' ');
}

function shellWord(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
