/**
 * Runs inside the namespaces of the test node, where pods have their addresses and process ids: does there what the test
 * asks for over the channel between parent and child.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, createServer } from 'node:net';

export interface Asked {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const ANSWER_TIMEOUT_MS = 5_000;
const BETWEEN_TRIES_MS = 1;
/** A small load: the machine has other things to do. */
const BETWEEN_LOAD_MS = 5;

export const abilities = {
  request: (asked: Asked): Promise<Answered> => ask(asked),

  /** Asks until there is an answer; returns the first. */
  async firstAnswer(asked: Asked, withinMs: number): Promise<Answered> {
    const end = performance.now() + withinMs;
    for (;;) {
      try {
        return await ask(asked);
      } catch (error) {
        if (performance.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
      }
    }
  },

  /** Clients that ask without pause, each over a connection that is kept, until `stopLoad`. */
  startLoad(asked: Asked, clients: number): void {
    load = { stopped: false, outcomes: {}, clients: [] };
    for (let i = 0; i < clients; i += 1) load.clients.push(keepAsking(asked, load));
  },

  /** How often what came of it: a status, with what was said where it is an error; or why there was none. */
  async stopLoad(): Promise<Readonly<Record<string, number>>> {
    load.stopped = true;
    await Promise.all(load.clients);
    return load.outcomes;
  },

  kill: (pid: number, signal: NodeJS.Signals): boolean => process.kill(pid, signal),

  /** Takes connections in here at `host:port` and carries them to a Unix socket, where somebody outside listens. */
  relay: (host: string, port: number, socket: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const server = createServer((inner) => {
        const outer = connect(socket);
        inner.pipe(outer).pipe(inner);
        inner.on('error', () => outer.destroy());
        outer.on('error', () => inner.destroy());
      });
      server.on('error', reject).listen(port, host, resolve);
    }),

  read: (file: string): string => readFileSync(file, 'utf8'),

  /** Bytes of memory that are this process's own, shared pages counted by share. */
  proportionalBytes: (pid: number): number => proportional(pid),

  /** The same, of all processes whose command line has this text. */
  proportionalBytesOf: (text: string): number =>
    processes()
      .filter((pid) => commandLine(pid).includes(text))
      .reduce((sum, pid) => sum + proportional(pid), 0),
} as const;

export type Abilities = typeof abilities;

interface Load {
  stopped: boolean;
  readonly outcomes: Record<string, number>;
  readonly clients: Promise<void>[];
}

let load: Load = { stopped: true, outcomes: {}, clients: [] };

async function keepAsking(asked: Asked, current: Load): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  while (!current.stopped) {
    const outcome = await ask(asked, agent).then(
      ({ status, body }) => (status < 400 ? String(status) : `${status} ${body}`),
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );
    current.outcomes[outcome] = (current.outcomes[outcome] ?? 0) + 1;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOAD_MS));
  }
  agent.destroy();
}

function ask(asked: Asked, agent: Agent | false = false): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { body = '', ...rest } = asked;
    const sent = request({ ...rest, agent, timeout: ANSWER_TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.on('error', reject);
    sent.end(body);
  });
}

function processes(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

function proportional(pid: number): number {
  try {
    const found = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
    return Number(found?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

process.on('message', ({ id, name, args }: { id: number; name: keyof Abilities; args: never[] }) => {
  const ability = abilities[name] as (...args: never[]) => unknown;
  Promise.resolve()
    .then(() => ability(...args))
    .then(
      (value) => process.send?.({ id, value }),
      (error: Error) => process.send?.({ id, error: error.message }),
    );
});
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
