/**
 * A pod's server in V8, with sockets and a clock of ours: every call of `poll_oneoff` asks the script what happens next.
 * It runs the compiled product code, only what is around it is made up.
 */
import { encodePodSettings, arenaBytes, type PodSettings } from '../../../src/pods/settings.ts';

export class Ended extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit code ${code}`);
    this.code = code;
  }
}

/** Thrown by a script that has no more to tell: the only way out of the loop. */
export class Over extends Error {}

export interface Peer {
  readonly fd: number;
  /** What the server can read, one piece a read; null: the client has ended. */
  readonly incoming: (Uint8Array | null)[];
  readonly sent: Buffer[];
  /** How many bytes the socket takes in the next sends; endless by default. */
  window: number;
  shutdown: boolean;
  closed: boolean;
  /** Reading it fails. */
  broken: boolean;
}

export interface Guest {
  /** Called with the request frame; returns the response frame, or how it ended (1 trapped, 2 out of time). */
  handle(frame: Buffer, host: VirtualHost): Buffer | number;
}

const GUEST_PAGES = 64;
const PAGE = 65_536;
const AGAIN = 6;

export class VirtualHost {
  readonly peers = new Map<number, Peer>();
  readonly logs: string[] = [];
  /** Monotonic milliseconds. */
  now = 1000;
  polls = 0;
  /** What the linker says of the guest: what its memory may grow to, and what stack the run has left. */
  guestLimit = 2 * GUEST_PAGES * PAGE;
  guestStack = 1;
  /** Calls of the host by name, to see what a request costs. */
  readonly calls: Record<string, number> = {};
  readonly #module: WebAssembly.Module;
  readonly #settings: PodSettings;
  readonly #guest: Guest;
  readonly #env: Readonly<Record<string, string>>;
  #instance: WebAssembly.Instance | null = null;
  #base = 0;
  #status = 0;
  #waiting: number[] = [];
  #nextFd = 10;
  #script: () => void = () => {
    throw new Over();
  };

  constructor(
    module: WebAssembly.Module,
    settings: PodSettings,
    guest: Guest,
    env: Readonly<Record<string, string>> = {},
  ) {
    this.#module = module;
    this.#settings = settings;
    this.#guest = guest;
    this.#env = env;
  }

  /** A client connects. */
  connect(): Peer {
    const peer: Peer = {
      fd: this.#nextFd++,
      incoming: [],
      sent: [],
      window: Infinity,
      shutdown: false,
      closed: false,
      broken: false,
    };
    this.peers.set(peer.fd, peer);
    this.#waiting.push(peer.fd);
    return peer;
  }

  /** What the server exports: the host functions of the guest. */
  call(name: string, ...args: (number | bigint)[]): number {
    const { exports } = this.#instance as WebAssembly.Instance;
    return (exports[name] as (...args: (number | bigint)[]) => number)(...args);
  }

  /** The guest's memory. */
  get guestMemory(): Buffer {
    return this.#bytes().subarray(this.#base, this.#base + GUEST_PAGES * PAGE);
  }

  /** Plays a scene: each `yield` lets the server go on until it waits again. */
  play(scene: (host: VirtualHost) => Generator<void, void, void>): void {
    const steps = scene(this);
    this.run(() => {
      if (steps.next().done === true) throw new Over();
    });
  }

  /** Runs the server; `script` is called whenever it waits, and ends the run by throwing Over. */
  run(script: () => void): void {
    this.#script = script;
    const arena = arenaBytes(this.#settings);
    const blob = encodePodSettings(this.#settings);
    const blobAt = arena + PAGE - ((blob.length + 7) & ~7);
    const base = arena + PAGE;
    const guest = this.#guestImports(base, blobAt, arena);
    const instance = new WebAssembly.Instance(this.#module, { guest, wasi_snapshot_preview1: this.#wasi() });
    this.#instance = instance;
    this.#base = base;
    const memory = instance.exports['memory'] as WebAssembly.Memory;
    memory.grow(Math.ceil((base + GUEST_PAGES * PAGE - memory.buffer.byteLength) / PAGE));
    this.#bytes().set(blob, blobAt);
    try {
      (instance.exports['_start'] as () => void)();
    } catch (error) {
      if (!(error instanceof Over)) throw error;
    }
  }

  #bytes(): Buffer {
    const { exports } = this.#instance as WebAssembly.Instance;
    return Buffer.from((exports['memory'] as WebAssembly.Memory).buffer);
  }

  #guestImports(base: number, blobAt: number, arena: number): WebAssembly.ModuleImports {
    const frameAt = PAGE;
    const answerAt = 32 * PAGE;
    return {
      initialize: () => 0,
      alloc: (length: number) => (length > 30 * PAGE ? 0 : frameAt),
      handle: (at: number, length: number) => {
        const bytes = this.#bytes();
        const frame = Buffer.from(bytes.subarray(base + at, base + at + length));
        const answer = this.#guest.handle(frame, this);
        if (typeof answer === 'number') {
          this.#status ||= answer;
          return 0n;
        }
        answer.copy(bytes, base + answerAt);
        return (BigInt(answerAt) << 32n) | BigInt(answer.length);
      },
      start: () => undefined,
      status: () => this.#status,
      arm: () => {
        this.#status = 0;
      },
      stop: (value: number) => {
        this.#status = value;
      },
      restore: () => 0,
      mark: () => undefined,
      base: () => base,
      size: () => GUEST_PAGES * PAGE,
      limit: () => this.guestLimit,
      stack: () => this.guestStack,
      kind: () => 0,
      settings: () => blobAt,
      arena: () => arena,
    };
  }

  #wasi(): WebAssembly.ModuleImports {
    const functions: Record<string, (...args: number[]) => unknown> = {
      sock_open: (_family, _type, out) => this.#put(out as number, 3),
      sock_bind: () => 0,
      sock_listen: () => 0,
      sock_setsockopt: () => 0,
      fd_fdstat_set_flags: () => 0,
      sock_accept: (_listener, out) => {
        const fd = this.#waiting.shift();
        return fd === undefined ? AGAIN : this.#put(out as number, fd);
      },
      sock_recv: (fd, vectors, _count, _flags, out) =>
        this.#receive(fd as number, vectors as number, out as number),
      sock_send: (fd, vectors, count, _flags, out) =>
        this.#send(fd as number, vectors as number, count as number, out as number),
      sock_shutdown: (fd) => {
        this.#peer(fd as number).shutdown = true;
        return 0;
      },
      fd_close: (fd) => {
        this.#peer(fd as number).closed = true;
        return 0;
      },
      fd_write: (_fd, vectors, _count, out) => {
        const bytes = this.#bytes();
        const at = bytes.readUInt32LE(vectors as number);
        const length = bytes.readUInt32LE((vectors as number) + 4);
        this.logs.push(bytes.toString('utf8', at, at + length));
        return this.#put(out as number, length);
      },
      poll_oneoff: (subscriptions, events, count, out) =>
        this.#poll(subscriptions as number, events as number, count as number, out as number),
      environ_sizes_get: (count, size) => {
        const texts = this.#environment();
        this.#put(count as number, texts.length);
        return this.#put(size as number, Buffer.concat(texts).length);
      },
      environ_get: (table, text) => {
        let at = text as number;
        this.#environment().forEach((value, index) => {
          this.#put((table as number) + index * 4, at);
          value.copy(this.#bytes(), at);
          at += value.length;
        });
        return 0;
      },
      random_get: (at, length) => {
        for (let i = 0; i < (length as number); i++) this.#bytes()[(at as number) + i] = (i * 37 + 11) & 0xff;
        return 0;
      },
      proc_exit: (code) => {
        throw new Ended(code as number);
      },
    };
    const counted = Object.entries(functions).map(([name, call]) => [
      name,
      (...args: number[]) => {
        this.calls[name] = (this.calls[name] ?? 0) + 1;
        return call(...args);
      },
    ]);
    return {
      ...(Object.fromEntries(counted) as WebAssembly.ModuleImports),
      clock_time_get: (clock: number, _precision: bigint, out: number) => {
        const ms = clock === 0 ? 1_700_000_000_000 + this.now : this.now;
        this.#bytes().writeBigUInt64LE(BigInt(ms) * 1_000_000n, out);
        return 0;
      },
    };
  }

  #environment(): Buffer[] {
    return Object.entries(this.#env).map(([name, value]) => Buffer.from(`${name}=${value}\0`));
  }

  #peer(fd: number): Peer {
    const peer = this.peers.get(fd);
    if (peer === undefined) throw new Error(`no such socket: ${fd}`);
    return peer;
  }

  #put(at: number, value: number): number {
    this.#bytes().writeUInt32LE(value, at);
    return 0;
  }

  #receive(fd: number, vectors: number, out: number): number {
    const peer = this.#peer(fd);
    if (peer.broken) return 15; // ECONNRESET
    const piece = peer.incoming.shift();
    if (piece === undefined) return AGAIN;
    if (piece === null) {
      peer.incoming.unshift(null);
      return this.#put(out, 0);
    }
    const bytes = this.#bytes();
    const at = bytes.readUInt32LE(vectors);
    const room = bytes.readUInt32LE(vectors + 4);
    bytes.set(piece.subarray(0, room), at);
    if (piece.length > room) peer.incoming.unshift(piece.subarray(room));
    const taken = Math.min(piece.length, room);
    // What lies behind in the buffer is of other connections: make sure that nobody looks.
    bytes.fill(0xaa, at + taken, at + Math.min(taken + 64, room));
    return this.#put(out, taken);
  }

  #send(fd: number, vectors: number, count: number, out: number): number {
    const peer = this.#peer(fd);
    if (peer.window === 0) return AGAIN;
    const bytes = this.#bytes();
    let sent = 0;
    for (let i = 0; i < count; i++) {
      const at = bytes.readUInt32LE(vectors + i * 8);
      const length = Math.min(bytes.readUInt32LE(vectors + i * 8 + 4), peer.window);
      peer.sent.push(Buffer.from(bytes.subarray(at, at + length)));
      peer.window -= length;
      sent += length;
    }
    return this.#put(out, sent);
  }

  /** Asks the script until something is ready; the timer fires when the script has moved the clock on. */
  #poll(subscriptions: number, events: number, count: number, out: number): number {
    for (;;) {
      const before = this.now;
      this.polls++;
      this.#script();
      const bytes = this.#bytes();
      let ready = 0;
      for (let i = 0; i < count; i++) {
        const at = subscriptions + i * 48;
        if (!this.#isReady(bytes, at, this.now > before)) continue;
        const event = events + ready++ * 32;
        bytes.copy(bytes, event, at, at + 8);
        bytes.writeUInt16LE(0, event + 8);
        bytes[event + 10] = bytes[at + 8] as number;
      }
      if (ready > 0) return this.#put(out, ready);
    }
  }

  #isReady(bytes: Buffer, at: number, timePassed: boolean): boolean {
    const type = bytes[at + 8];
    if (type === 0) return timePassed;
    const fd = bytes.readUInt32LE(at + 16);
    if (fd === 3) return this.#waiting.length > 0;
    const peer = this.#peer(fd);
    return type === 1 ? peer.incoming.length > 0 || peer.broken : peer.window > 0;
  }
}
