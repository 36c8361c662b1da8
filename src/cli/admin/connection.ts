/** Which server a client command speaks to, and the token that opens its admin API. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { findConfigFile } from '../../config/files.ts';
import { loadConfig } from '../../config/load.ts';
import { resolveConfig } from '../../config/resolve.ts';
import type { Environment } from '../../config/substitute.ts';
import { MayflyError } from '../../model/errors.ts';
import { runningServers, theRunningOne } from '../serving/runtime-file.ts';

export interface ConnectionOptions {
  /** Base address of the admin API. */
  readonly admin?: string | undefined;
  readonly tokenFile?: string | undefined;
  /** Configuration of the server, or its folder. */
  readonly config?: string | undefined;
}

export interface Connection {
  readonly url: URL;
  readonly token: string;
}

interface Place {
  readonly admin: string;
  readonly tokenFile: string;
}

/**
 * In this order: `--admin` or MAYFLY_ADMIN; the configuration named, or that of this folder; the one server of this user
 * that runs. Throws MayflyError, exit code 2, when none of them tells.
 */
export function findServer(options: ConnectionOptions, env: Environment): Connection {
  const admin = options.admin ?? set(env['MAYFLY_ADMIN']);
  if (admin !== undefined) return named(admin, options.tokenFile, env);
  const { admin: url, tokenFile } = placeOf(options.config, env);
  return { url: new URL(url), token: readToken(options.tokenFile ?? tokenFile) };
}

function named(admin: string, tokenFile: string | undefined, env: Environment): Connection {
  if (!URL.canParse(admin)) {
    throw usage('The address of the admin API is not a URL', admin, 'Write it as http://127.0.0.1:9091.');
  }
  const url = new URL(admin);
  if (tokenFile !== undefined) return { url, token: readToken(tokenFile) };
  const token = set(env['MAYFLY_ADMIN_TOKEN']);
  if (token !== undefined) return { url, token };
  const note = runningServers(env).find((server) => new URL(server.admin).origin === url.origin);
  if (note !== undefined) return { url, token: readToken(note.tokenFile) };
  throw usage('There is no token for the admin API', admin, 'Give --token-file, or set MAYFLY_ADMIN_TOKEN.');
}

/** A server that runs with the configuration tells its address itself, for the file may say port 0. */
function placeOf(config: string | undefined, env: Environment): Place {
  const path = config ?? '.';
  const file = findConfigFile(path);
  if (config === undefined && !existsSync(file)) return onlyOne(env);
  const running = runningServers(env).find((server) => server.config === resolve(file));
  if (running !== undefined) return running;
  const { admin } = resolveConfig(loadConfig(path, env));
  return {
    admin: `http://${admin.host.includes(':') ? `[${admin.host}]` : admin.host}:${admin.port}`,
    tokenFile: admin.tokenFile,
  };
}

function onlyOne(env: Environment): Place {
  const running = theRunningOne(env);
  if (running !== null) return running;
  if (runningServers(env).length > 0) {
    throw usage('Several servers are running', undefined, 'Say which one: --config PATH or --admin URL.');
  }
  throw new MayflyError('No Mayfly is running here', {
    fix: 'Start one with `mayfly serve`, or name one with --admin URL.',
    code: 'no-server',
  });
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'there is no such file' : message;
    throw new MayflyError(`Cannot read the token of the admin API: ${what}`, {
      where: file,
      fix: 'The server writes it at its first start; name another with --token-file.',
      code: 'no-token',
      cause,
    });
  }
}

function usage(what: string, where: string | undefined, fix: string): MayflyError {
  return new MayflyError(what, { where, fix, exitCode: 2, code: 'usage' });
}

function set(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
