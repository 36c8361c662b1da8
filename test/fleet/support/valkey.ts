/** A real Valkey on a free port of this machine, for tests. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';

export interface Valkey extends AsyncDisposable {
  readonly port: number;
  /** Ends the process as a crash does, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
  /** It goes on living but answers nothing. */
  freeze(): void;
  thaw(): void;
}

export interface ValkeySettings {
  readonly password?: string;
  /** PEM files; then it speaks TLS alone. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

export async function startValkey(program: string, settings: ValkeySettings = {}): Promise<Valkey> {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-valkey-'));
  const port = await freePort();
  const file = join(folder, 'valkey.conf');
  const lines = ['bind 127.0.0.1', 'save ""', 'appendonly no', `dir ${folder}`];
  if (settings.tls === undefined) lines.push(`port ${port}`);
  else {
    lines.push('port 0', `tls-port ${port}`, 'tls-auth-clients no');
    lines.push(`tls-cert-file ${settings.tls.certificate}`, `tls-key-file ${settings.tls.key}`);
  }
  if (settings.password !== undefined) lines.push(`requirepass ${settings.password}`);
  writeFileSync(file, lines.join('\n'));
  let child: ChildProcess | null = null;
  const kill = async () => {
    if (child === null) return;
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
    child = null;
  };
  const start = async () => {
    child = spawn(program, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout?.resume();
    await reachable(port);
  };
  await start();
  return {
    port,
    kill,
    start,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function reachable(port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25));
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`Valkey does not listen on port ${port}`);
}
