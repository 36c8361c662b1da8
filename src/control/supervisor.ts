/**
 * Keeps the data-plane threads alive: starts them, gives each the newest snapshot, connects lanes with fronts, asks for a
 * sign of life, and replaces a thread that died or hangs while the others go on.
 */
import type { ResourceLimits } from 'node:worker_threads';
import { MayflyError } from '../model/errors.ts';
import type { Address, FromThread } from '../model/protocol.ts';
import type { SharedState } from '../model/shared.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { Seat, type Death, type SeatState, type ThreadName } from './seat.ts';

export interface ThreadStatus extends ThreadName {
  /** `waiting`: it died, and the next attempt is under way in a moment. */
  readonly state: SeatState;
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
  readonly listen: Address | null;
  readonly tls: Address | null;
  readonly snapshot: Snapshot;
  readonly healthCheckIntervalMs: number;
  /** A thread that is slower than this to start, or to put a snapshot in force, is replaced. */
  readonly patienceMs?: number;
  /** Caps each thread's JavaScript heap, so that running out of it ends that thread alone. */
  readonly resourceLimits?: ResourceLimits;
  /** What threads say beyond the supervisor's own business: logs, traces, decisions, unknown keys, warnings. */
  readonly onMessage: (message: FromThread, thread: ThreadName) => void;
  /** The thread is gone; its rows in shared tables must be cleared before this returns, for the next one takes them over. */
  readonly onLost: (thread: ThreadName, reason: string) => void;
}

export interface Supervisor extends AsyncDisposable {
  /** Resolves when all fronts are ready; rejects with the error of the first that cannot start, and leaves none running. */
  start(): Promise<{ readonly port: number | null; readonly tlsPort: number | null }>;
  /** Resolves when every front that lives answers by this snapshot, or a newer one. */
  publish(snapshot: Snapshot): Promise<void>;
  /**
   * Says for `delayMs` that this server is about to end, while it still takes all that comes; then lets the fronts finish
   * what is in flight, and ends all threads. `aborted` requests did not make it.
   */
  drain(graceMs: number, delayMs?: number): Promise<{ readonly aborted: number }>;
  status(): ThreadStatus[];
}

/** A lane is silent while it runs a request, and each front may have one waiting there. */
const LANE_PATIENCE_MS = 300_000;
const DEFAULT_HEAP: ResourceLimits = { maxOldGenerationSizeMb: 512 };

/** What only the supervisor and its seats need to hear. */
const internal: ReadonlySet<FromThread['type']> = new Set(['ready', 'applied', 'pong', 'drained']);

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { patienceMs = 10_000, healthCheckIntervalMs, resourceLimits = DEFAULT_HEAP } = options;
  const life = { stopping: false };
  let snapshot = options.snapshot;
  let { listen, tls } = options;
  /** Set while the threads start for the first time: a death then is not replaced but ends the start. */
  let failStart: ((error: Error) => void) | null = null;
  let health: NodeJS.Timeout | null = null;
  let nextCheckAt = 0;
  let pings = 0;
  const timers = new Set<NodeJS.Timeout>();
  let sleepers: (() => void)[] = [];

  const events = {
    onMessage(seat: Seat, message: FromThread) {
      if (message.type === 'ready') {
        if (listen !== null && message.port !== null) listen = { ...listen, port: message.port };
        if (tls !== null && message.tlsPort !== null) tls = { ...tls, port: message.tlsPort };
      }
      if (!internal.has(message.type)) options.onMessage(message, seat.name);
      else if (message.type !== 'pong') wake();
    },
    onDeath(seat: Seat, { reason, error }: Death) {
      if (!life.stopping) {
        options.onLost(seat.name, reason);
        if (failStart !== null) failStart(error ?? new Error(reason));
        else later(seat.restartDelayMs(), () => spawn(seat));
      }
      wake();
    },
  };
  const seatsOf = (role: 'front' | 'lane', count: number, firstRow: number) =>
    Array.from({ length: count }, (_, index) => new Seat({ role, index, row: firstRow + index }, events));
  const fronts = seatsOf('front', options.fronts, 0);
  const lanes = seatsOf('lane', options.lanes, options.fronts);
  const seats = [...fronts, ...lanes];

  const spawn = (seat: Seat) => {
    const isFront = seat.name.role === 'front';
    const addresses = isFront ? { listen, tls } : { listen: null, tls: null };
    seat.spawn(options.entry, { shared: options.shared, snapshot, ...addresses }, resourceLimits);
    if (isFront) for (const lane of lanes) seat.connect(lane);
    else for (const front of fronts) front.connect(seat);
  };

  /** Looks again at what somebody waits for: a thread got ready, applied a snapshot, or died. */
  const wake = () => {
    const woken = sleepers;
    sleepers = [];
    for (const resolve of woken) resolve();
  };

  const until = async (reached: () => boolean): Promise<void> => {
    while (!reached() && !life.stopping) {
      await new Promise<void>((resolve) => {
        sleepers.push(resolve);
      });
    }
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

  const checkHealth = () => {
    // A main thread that was busy itself has not read the answers yet: then nobody is judged.
    const late = performance.now() - nextCheckAt > healthCheckIntervalMs / 2;
    nextCheckAt = performance.now() + healthCheckIntervalMs;
    pings++;
    for (const seat of seats) {
      if (seat.state === 'starting' && seat.ageMs > patienceMs && !late) {
        seat.condemn(`it did not start within ${patienceMs} ms`);
      } else if (seat.state === 'ready') {
        const silentMs = Math.round(seat.silentMs);
        const patience = seat.name.role === 'lane' ? LANE_PATIENCE_MS : healthCheckIntervalMs * 0.9;
        if (silentMs > patience && !late) seat.condemn(`it gave no sign of life for ${silentMs} ms`);
        seat.ping(pings);
      }
    }
  };

  const frontsReady = async () => {
    const [first, ...others] = fronts as [Seat, ...Seat[]];
    spawn(first);
    // It may have to pick the port that the others share.
    if (listen?.port === 0 || tls?.port === 0) await until(() => allAre('ready', [first]));
    if (!life.stopping) others.forEach(spawn);
    await until(() => allAre('ready', fronts));
  };

  const end = async () => {
    life.stopping = true;
    if (health !== null) clearInterval(health);
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
    wake();
    await Promise.all(seats.map((seat) => seat.end()));
  };

  return {
    async start() {
      const failed = Promise.withResolvers<never>();
      failStart = failed.reject;
      const stopWaiting = later(patienceMs, () =>
        failed.reject(
          new MayflyError(`Cannot start: the data-plane threads were not ready in ${patienceMs} ms`),
        ),
      );
      try {
        await Promise.race([frontsReady(), failed.promise]);
      } catch (error) {
        await end();
        throw error;
      } finally {
        stopWaiting();
        failStart = null;
      }
      // Nobody waits for the lanes: until a front has one, it runs everything inline with the whole budget.
      lanes.forEach(spawn);
      nextCheckAt = performance.now() + healthCheckIntervalMs;
      health = setInterval(checkHealth, healthCheckIntervalMs);
      return { port: listen?.port ?? null, tlsPort: tls?.port ?? null };
    },

    async publish(next) {
      snapshot = next;
      for (const seat of seats) seat.send({ type: 'snapshot', snapshot: next });
      // Lanes follow when they are done with what they run; they still know the revisions of before.
      const lagging = () => fronts.filter(({ alive, applied }) => alive && applied < next.version);
      const stopWaiting = later(patienceMs, () => {
        for (const seat of lagging()) {
          seat.condemn(`it did not put snapshot ${next.version} in force within ${patienceMs} ms`);
        }
      });
      await until(() => lagging().length === 0);
      stopWaiting();
    },

    async drain(graceMs, delayMs = 0) {
      if (delayMs > 0) {
        for (const seat of fronts) seat.send({ type: 'leave' });
        await new Promise<void>((resolve) => void later(delayMs, resolve));
      }
      life.stopping = true;
      const aborted = await drainAll(fronts, graceMs);
      await drainAll(lanes, graceMs);
      await end();
      return { aborted };
    },

    status: () => seats.map(({ name, state, restarts, applied }) => ({ ...name, state, restarts, applied })),

    [Symbol.asyncDispose]: end,
  };
}

function allAre(state: SeatState, seats: readonly Seat[]): boolean {
  return seats.every((seat) => seat.state === state);
}

async function drainAll(seats: readonly Seat[], graceMs: number): Promise<number> {
  const aborted = await Promise.all(seats.map((seat) => seat.drain(graceMs)));
  return aborted.reduce((sum, count) => sum + count, 0);
}
