/**
 * An open loop: requests are due at a constant rate whatever the server does, and their latency counts from when they
 * were due. Runs as a process of its own: `node open-loop.ts '{json}'` prints one JSON line. It never sleeps, so that it
 * is late by microseconds: give it a core that nobody else needs.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface OpenLoopOptions {
  readonly port: number;
  readonly path: string;
  /** One phase after the other, without a pause. */
  readonly phases: readonly { readonly requestsPerSecond: number; readonly seconds: number }[];
  /** Opened before the first phase: what is measured is requests, not the opening of connections. */
  readonly connections: number;
}

/** Per phase, by when requests were due. Latencies in ms. */
export interface PhaseResult {
  readonly due: number;
  readonly good: number;
  readonly refused: number;
  readonly failed: number;
  /** No connection was free: all of them waited for an answer. */
  readonly unsent: number;
  readonly goodMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly refusedMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** How much later than due requests were written: the client's own share. */
  readonly lateMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Good answers and p99 in windows of 100 ms. */
  readonly windows: readonly { readonly good: number; readonly bad: number; readonly p99: number }[];
}

interface Sample {
  readonly dueMs: number;
  readonly status: number;
  readonly ms: number;
  readonly lateMs: number;
}

const WINDOW_MS = 100;
const LAST_ANSWERS_MS = 2000;
const UNSENT = -1;
/** Any answer will do: 404. */
const HELLO = 'GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n';

class Client {
  readonly samples: Sample[] = [];
  readonly #options: OpenLoopOptions;
  readonly #request: Buffer;
  readonly #idle: Socket[] = [];
  readonly #due = new Map<Socket, { dueMs: number; lateMs: number }>();

  constructor(options: OpenLoopOptions) {
    this.#options = options;
    this.#request = Buffer.from(
      `POST ${options.path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\n\r\nx`,
    );
  }

  get inFlight(): number {
    return this.#due.size;
  }

  /** Resolves when the server has answered on every connection: that the kernel completed one does not mean it was accepted. */
  async open(): Promise<void> {
    const sockets = Array.from({ length: this.#options.connections }, () => this.#connect());
    await Promise.all(
      sockets.map(async (socket) => {
        await once(socket, 'connect');
        socket.write(HELLO);
        await once(socket, 'data');
      }),
    );
  }

  /** Sends the request that was due then. */
  send(dueMs: number): void {
    const socket = this.#idle.pop();
    if (socket === undefined) {
      this.samples.push({ dueMs, status: UNSENT, ms: 0, lateMs: 0 });
      return;
    }
    this.#due.set(socket, { dueMs, lateMs: performance.now() - dueMs });
    socket.write(this.#request);
  }

  #connect(): Socket {
    const socket = connect({ port: this.#options.port, host: '127.0.0.1', noDelay: true });
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (!isComplete(received)) return;
      this.#answered(socket, Number(received.slice(9, 12)));
      received = '';
      this.#idle.push(socket);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#answered(socket, 0);
      const at = this.#idle.indexOf(socket);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    return socket;
  }

  #answered(socket: Socket, status: number): void {
    const sent = this.#due.get(socket);
    if (sent === undefined) return;
    this.#due.delete(socket);
    this.samples.push({ ...sent, status, ms: performance.now() - sent.dueMs });
  }
}

function isComplete(answer: string): boolean {
  const head = answer.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer)?.[1] ?? '0';
  return answer.length >= head + 4 + Number(length);
}

async function drive(options: OpenLoopOptions): Promise<PhaseResult[]> {
  const client = new Client(options);
  await client.open();
  const results: PhaseResult[] = [];
  const phases: { from: number; to: number }[] = [];
  let from = performance.now();
  for (const { requestsPerSecond, seconds } of options.phases) {
    const to = from + seconds * 1000;
    phases.push({ from, to });
    let due = from;
    while (due < to) {
      const now = performance.now();
      while (due <= now && due < to) {
        client.send(due);
        due += 1000 / requestsPerSecond;
      }
      await new Promise((later) => setImmediate(later));
    }
    from = to;
  }
  const patience = performance.now() + LAST_ANSWERS_MS;
  while (client.inFlight > 0 && performance.now() < patience)
    await new Promise((later) => setTimeout(later, 10));
  for (const phase of phases) results.push(summarise(client.samples, phase.from, phase.to));
  return results;
}

function summarise(all: readonly Sample[], from: number, to: number): PhaseResult {
  const samples = all.filter(({ dueMs }) => dueMs >= from && dueMs < to);
  const good = samples.filter(({ status }) => status === 200);
  const refused = samples.filter(({ status }) => status === 503 || status === 429);
  const unsent = samples.filter(({ status }) => status === UNSENT).length;
  const windows = Array.from({ length: Math.ceil((to - from) / WINDOW_MS) }, (_, index) => {
    const start = from + index * WINDOW_MS;
    const inside = samples.filter(({ dueMs }) => dueMs >= start && dueMs < start + WINDOW_MS);
    const fine = inside.filter(({ status }) => status === 200);
    return {
      good: fine.length,
      bad: inside.length - fine.length,
      p99: quantiles(fine.map(({ ms }) => ms)).p99,
    };
  });
  return {
    due: samples.length,
    good: good.length,
    refused: refused.length,
    unsent,
    failed: samples.length - good.length - refused.length - unsent,
    goodMs: quantiles(good.map(({ ms }) => ms)),
    refusedMs: quantiles(refused.map(({ ms }) => ms)),
    lateMs: quantiles(samples.map(({ lateMs }) => lateMs)),
    windows,
  };
}

function quantiles(values: readonly number[]): { p50: number; p99: number; max: number } {
  const sorted = Float64Array.from(values).toSorted();
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

if (import.meta.main) {
  const results = await drive(JSON.parse(process.argv[2] as string) as OpenLoopOptions);
  console.log(JSON.stringify(results));
  process.exit(0);
}
