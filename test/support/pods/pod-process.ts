/** A pod as a process of WasmEdge, as a container would run it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

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
): Promise<PodProcess> {
  const port = await freePort();
  const variables = Object.entries({ PORT: String(port), ...env }).flatMap(([name, value]) => [
    '--env',
    `${name}=${value}`,
  ]);
  const child = spawn(wasmedge, [...variables, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const logs: string[] = [];
  let hasStarted = false;
  const listening = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      logs.push(line);
      hasStarted ||= line.includes('"msg":"listening"');
      if (hasStarted) resolve();
    });
  });
  await Promise.race([listening, ended(child), late()]);
  if (!hasStarted) {
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

async function ended(child: ChildProcess): Promise<void> {
  await once(child, 'exit');
}

async function late(): Promise<void> {
  await new Promise((over) => {
    setTimeout(over, START_PATIENCE_MS).unref();
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
