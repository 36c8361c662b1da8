/**
 * Keeps the data-plane threads alive: starts them, gives each the newest snapshot, connects lanes with fronts, asks for a
 * sign of life, and replaces a thread that died or hangs while the others go on.
 */
import { MessageChannel, Worker, type ResourceLimits } from 'node:worker_threads';
import { MayflyError } from '../model/errors.ts';
import type { FromThread, ThreadData, ToThread } from '../model/protocol.ts';
import type { SharedState } from '../model/shared.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { decideRestart } from './restart.ts';
import { reviveError } from './thread-error.ts';

export interface ThreadName {
  readonly role: 'front' | 'lane';
  readonly index: number;
  /** Its row in the per-thread tables: fronts first, then lanes. */
  readonly row: number;
}

export interface ThreadStatus extends ThreadName {
  /** `waiting`: it died at once several times, and the next attempt is under way in a moment. */
  readonly state: 'starting' | 'ready' | 'waiting';
  readonly restarts: number;
  /** Version of the snapshot it answers by. */
  readonly applied: number;
}

export interface SupervisorOptions {
  /** The worker's module; gets `ThreadData`. */
  readonly entry: URL;
  readonly fronts: number;
  readonly lanes: number;
  readonly shared: SharedState;
  /** Port 0: the first front picks one, the others share it. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly snapshot: Snapshot;
  readonly healthCheckIntervalMs: number;
  /** A thread that is slower than this to start, or to put a snapshot in force, is replaced. */
  readonly patienceMs?: number;
  /** Caps each thread's JavaScript heap, so that running out of it ends that thread alone. */
  readonly resourceLimits?: ResourceLimits;
  /** What threads say beyond the supervisor's own business: logs, traces, decisions, unknown keys, warnings. */
  readonly onMessage: (message: FromThread, thread: ThreadName) => void;
  /** The thread is gone; its rows in shared tables must be cleared before `onLost` returns, for the next one takes them over. */
  readonly onLost: (thread: ThreadName, reason: string) => void;
}

export interface Supervisor extends AsyncDisposable {
  /** Resolves when all threads are ready; rejects with the error of the first that cannot start, and leaves none running. */
  start(): Promise<{ readonly port: number }>;
  /** Resolves when every thread that lives answers by this snapshot, or a newer one. */
  publish(snapshot: Snapshot): Promise<void>;
  /** Lets the fronts finish what is in flight, then ends all threads. `aborted` requests did not make it. */
  drain(graceMs: number): Promise<{ readonly aborted: number }>;
  status(): ThreadStatus[];
}

/** A place for a thread; the worker in it changes when one dies. */
interface Seat {
  readonly name: ThreadName;
  worker: Worker | null;
  state: 'starting' | 'ready' | 'waiting';
  /** When the worker was started, milliseconds of `performance.now()`. */
  bornAt: number;
  applied: number;
  pingUnanswered: boolean;
  restarts: number;
  earlyDeaths: number;
  /** Why the supervisor itself ended the worker. */
  verdict: string | null;
  drained: ((aborted: number) => void) | null;
}

const DEFAULT_HEAP: ResourceLimits = { maxOldGenerationSizeMb: 512 };

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { patienceMs = 10_000, healthCheckIntervalMs } = options;
  let snapshot = options.snapshot;
  let port = options.listen.port;
  let stopping = false;
  let pings = 0;
  const timers = new Set<NodeJS.Timeout>();
  let settleChanges: (() => void)[] = [];

  const seat = (role: 'front' | 'lane', index: number): Seat => ({
    name: { role, index, row: role === 'front' ? index : options.fronts + index },
    worker: null,
    state: 'starting',
    bornAt: 0,
    applied: -1,
    pingUnanswered: false,
    restarts: 0,
    earlyDeaths: 0,
    verdict: null,
    drained: null,
  });
  const fronts = Array.from({ length: options.fronts }, (_, index) => seat('front', index));
  const lanes = Array.from({ length: options.lanes }, (_, index) => seat('lane', index));
  const seats = [...fronts, ...lanes];

  const send = (to: Seat, message: ToThread) => to.worker?.postMessage(message);

  /** Wakes everybody who waits for threads to become ready, apply a snapshot, or die. */
  const changed = () => {
    const waiting = settleChanges;
    settleChanges = [];
    for (const wake of waiting) wake();
  };

  const later = (delayMs: number, work: () => void): (() => void) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, delayMs);
    timers.add(timer);
    return () => {
      clearTimeout(timer);
      timers.delete(timer);
    };
  };

  const condemn = (target: Seat, reason: string) => {
    if (target.worker === null) return;
    target.verdict ??= reason;
    void target.worker.terminate();
  };

  const connect = (front: Seat, lane: Seat) => {
    if (front.worker === null || lane.worker === null) return;
    const { port1, port2 } = new MessageChannel();
    front.worker.postMessage({ type: 'lane', index: lane.name.index, port: port1 }, [port1]);
    lane.worker.postMessage({ type: 'lane', index: front.name.index, port: port2 }, [port2]);
  };

  const hear = (target: Seat, message: FromThread) => {
    switch (message.type) {
      case 'ready':
        target.state = 'ready';
        if (message.port !== null) port = message.port;
        changed();
        break;
      case 'applied':
        target.applied = Math.max(target.applied, message.version);
        changed();
        break;
      case 'pong':
        if (message.id === pings) target.pingUnanswered = false;
        break;
      case 'drained':
        target.drained?.(message.aborted);
        break;
      default:
        options.onMessage(message, target.name);
    }
  };

  const spawn = (target: Seat) => {
    const data: ThreadData = {
      ...target.name,
      shared: options.shared,
      snapshot,
      listen: target.name.role === 'front' ? { host: options.listen.host, port } : null,
    };
    const worker = new Worker(options.entry, {
      workerData: data,
      name: `mayfly ${target.name.role} ${target.name.index}`,
      resourceLimits: options.resourceLimits ?? DEFAULT_HEAP,
    });
    target.worker = worker;
    target.state = 'starting';
    target.bornAt = performance.now();
    target.applied = data.snapshot.version;
    target.pingUnanswered = false;
    target.verdict = null;

    let failure: unknown = null;
    worker.on('message', (message: FromThread) => {
      if (target.worker === worker) hear(target, message);
    });
    worker.on('messageerror', (error) => condemn(target, `it sent something unreadable: ${error.message}`));
    worker.on('error', (error) => {
      failure = error;
    });
    worker.on('exit', (exitCode) => bury(target, exitCode, failure));

    const others = target.name.role === 'front' ? lanes : fronts;
    for (const other of others) {
      if (target.name.role === 'front') connect(target, other);
      else connect(other, target);
    }
  };

  const bury = (target: Seat, exitCode: number, failure: unknown) => {
    const neverReady = target.state === 'starting';
    target.worker = null;
    target.state = 'waiting';
    target.drained?.(0);
    if (!stopping) {
      const reason =
        target.verdict ??
        (failure === null ? `it ended with code ${exitCode}` : reviveError(failure).message);
      options.onLost(target.name, reason);
      if (starting !== null)
        starting.fail(neverReady && failure !== null ? reviveError(failure) : new Error(reason));
      else replace(target);
    }
    changed();
  };

  const replace = (target: Seat) => {
    const restart = decideRestart(performance.now() - target.bornAt, target.earlyDeaths);
    target.earlyDeaths = restart.earlyDeaths;
    target.restarts++;
    later(restart.delayMs, () => spawn(target));
  };

  const until = async (reached: () => boolean): Promise<void> => {
    while (!reached() && !stopping) {
      await new Promise<void>((resolve) => {
        settleChanges.push(resolve);
      });
    }
  };

  /** A main thread that was busy itself has not read the answers yet: then nobody is judged. */
  let nextCheckAt = 0;
  const checkHealth = () => {
    const late = performance.now() - nextCheckAt > healthCheckIntervalMs / 2;
    nextCheckAt = performance.now() + healthCheckIntervalMs;
    for (const target of seats) {
      if (target.state === 'starting' && performance.now() - target.bornAt > patienceMs && !late) {
        condemn(target, `it did not start within ${patienceMs} ms`);
      }
      if (target.state === 'ready' && target.pingUnanswered && !late) {
        condemn(target, `it gave no sign of life for ${healthCheckIntervalMs} ms`);
      }
    }
    pings++;
    for (const target of seats) {
      if (target.state !== 'ready') continue;
      target.pingUnanswered = true;
      send(target, { type: 'ping', id: pings });
    }
  };

  /** While the threads start for the first time, a death is not replaced but ends the start. */
  let starting: { readonly fail: (error: Error) => void } | null = null;
  let health: NodeJS.Timeout | null = null;

  const end = async () => {
    stopping = true;
    if (health !== null) clearInterval(health);
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
    changed();
    await Promise.all(seats.map((target) => target.worker?.terminate()));
  };

  const drainGroup = async (group: readonly Seat[], graceMs: number): Promise<number> => {
    const aborted = group.map(
      (target) =>
        new Promise<number>((resolve) => {
          if (target.worker === null) return resolve(0);
          // A second beyond the grace for a thread that is too stuck to say that it is done.
          const timer = setTimeout(() => resolve(0), graceMs + 1000);
          target.drained = (count) => {
            clearTimeout(timer);
            resolve(count);
          };
          send(target, { type: 'drain', graceMs });
        }),
    );
    return (await Promise.all(aborted)).reduce((sum, count) => sum + count, 0);
  };

  return {
    async start() {
      const failed = new Promise<never>((_, reject) => {
        starting = { fail: reject };
      });
      const allReady = async () => {
        const ready = (group: readonly Seat[]) => () => group.every(({ state }) => state === 'ready');
        // The first front alone at first: it may have to pick the port that all others share.
        const [first, ...rest] = [...fronts, ...lanes] as [Seat, ...Seat[]];
        spawn(first);
        await until(ready([first]));
        for (const target of rest) spawn(target);
        await until(ready(rest));
      };
      let impatience: NodeJS.Timeout | undefined;
      const tooSlow = new Promise<never>((_, reject) => {
        impatience = setTimeout(
          () =>
            reject(
              new MayflyError(`Cannot start: the data-plane threads were not ready in ${patienceMs} ms`),
            ),
          patienceMs,
        );
      });
      try {
        await Promise.race([allReady(), failed, tooSlow]);
      } catch (error) {
        await end();
        throw error;
      } finally {
        clearTimeout(impatience);
        starting = null;
      }
      nextCheckAt = performance.now() + healthCheckIntervalMs;
      health = setInterval(checkHealth, healthCheckIntervalMs);
      return { port };
    },

    async publish(next) {
      snapshot = next;
      const message: ToThread = { type: 'snapshot', snapshot: next };
      for (const target of seats) send(target, message);
      const lagging = () => seats.filter(({ worker, applied }) => worker !== null && applied < next.version);
      const stopWaiting = later(patienceMs, () => {
        for (const target of lagging()) {
          condemn(target, `it did not put snapshot ${next.version} in force within ${patienceMs} ms`);
        }
      });
      await until(() => lagging().length === 0);
      stopWaiting();
    },

    async drain(graceMs) {
      stopping = true;
      if (health !== null) clearInterval(health);
      const aborted = await drainGroup(fronts, graceMs);
      await drainGroup(lanes, graceMs);
      await end();
      return { aborted };
    },

    status: () => seats.map(({ name, state, restarts, applied }) => ({ ...name, state, restarts, applied })),

    [Symbol.asyncDispose]: end,
  };
}
