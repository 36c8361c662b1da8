/** The reference registry as a process of its own, on a free port, in a folder of its own. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeTestFolder } from './folder.ts';
import { freePort } from './free-port.ts';

export interface RealRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** Where it keeps its blobs. */
  readonly folder: string;
  stop(): Promise<void>;
}

/** `htpasswd`: lines of `user:bcrypt`; with it everybody has to sign in. */
export async function startRealRegistry(
  program: string,
  htpasswd: string | null = null,
): Promise<RealRegistry> {
  const folder = makeTestFolder();
  const port = await freePort();
  const auth =
    htpasswd === null
      ? ''
      : `auth: { htpasswd: { realm: test, path: ${folder.write('htpasswd', htpasswd)} } }\n`;
  const config = folder.write(
    'config.yml',
    `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${join(folder.path, 'data')} }, delete: { enabled: true } }
http: { addr: "127.0.0.1:${port}" }
${auth}`,
  );
  const child = spawn(program, ['serve', config], {
    stdio: 'ignore',
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  });
  const host = `127.0.0.1:${port}`;
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill();
    await once(child, 'exit');
  };
  try {
    await untilItAnswers(`http://${host}/v2/`, () => child.exitCode !== null);
  } catch (error) {
    await stop();
    folder[Symbol.dispose]();
    throw error;
  }
  return {
    host,
    folder: join(folder.path, 'data'),
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      folder[Symbol.dispose]();
    },
  };
}

async function untilItAnswers(url: string, hasEnded: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (hasEnded()) throw new Error('The registry ended at once');
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch {
      await pause(100);
    }
  }
  throw new Error('The registry does not answer');
}

export interface ToolResult {
  readonly code: number;
  readonly out: string;
}

/** Runs a program to its end; what it says on stdout and stderr, together. */
export function runTool(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<ToolResult> {
  const { promise, resolve } = Promise.withResolvers<ToolResult>();
  const options = {
    env: { ...process.env, ...env },
    timeout: 60_000,
    maxBuffer: 16 << 20,
    ...(cwd !== undefined && { cwd }),
  };
  execFile(program, args, options, (error, stdout, stderr) => {
    const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
    resolve({ code, out: `${stdout}${stderr}` });
  });
  return promise;
}
