/** A pod as a process of WasmEdge, as a container would run it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../free-port.ts';

const START_PATIENCE_MS = 30_000;

export interface PodProcess extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** Every line that it printed so far. */
  readonly logs: readonly string[];
}

export async function startPod(
  wasmedge: string,
  file: string,
  env: Readonly<Record<string, string>> = {},
  port?: number,
): Promise<PodProcess> {
  port ??= await freePort();
  const variables = Object.entries({ PORT: String(port), ...env }).flatMap(([name, value]) => [
    '--env',
    `${name}=${value}`,
  ]);
  const child = spawn(wasmedge, [...variables, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const logs: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => logs.push(line));
  const deadline = performance.now() + START_PATIENCE_MS;
  while (!(await listens(port))) {
    if (child.exitCode === null && performance.now() < deadline) continue;
    child.kill('SIGKILL');
    throw new Error(`The pod does not start: ${logs.join('\n')}`);
  }
  return {
    port,
    pid: child.pid as number,
    logs,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    },
  };
}

/** The compiled variant, which still runs on any machine of this architecture. */
export async function compileAhead(wasmedge: string, file: string, target: string): Promise<void> {
  await promisify(execFile)(wasmedge, ['compile', '--generic-binary', file, target]);
}

/** Whether somebody takes connections there; asks again no sooner than a little later. */
async function listens(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    await sleep(20);
    return false;
  } finally {
    socket.destroy();
  }
}
