/** Wires the main thread: configuration → control plane → data-plane threads, and what serves the operators. */
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import { openArtifactStore } from '../artifacts/store.ts';
import type { Compiler } from '../build/compiler.ts';
import type { Resolved } from '../config/resolve.ts';
import { functionSettings } from '../config/schema.ts';
import type { Environment } from '../config/substitute.ts';
import { createOperations } from '../control/admin/operations.ts';
import { startAdminServer } from '../control/admin/server.ts';
import { reloadView, statusView } from '../control/admin/views.ts';
import { layFoundation, settlePolicy } from '../control/foundation.ts';
import { createConfiguredKeys } from '../control/configured-keys.ts';
import { createImages } from '../control/images.ts';
import { startDemandReporter } from '../control/demand-reporter.ts';
import { readDemand } from '../control/demand.ts';
import { createGuestLogs } from '../control/guest-logs.ts';
import { invokeGateway } from '../control/invoke.ts';
import { renderMetricsPage } from '../control/metrics-page.ts';
import type { Blueprint } from '../control/blueprint.ts';
import { createControlPlane } from '../control/plane.ts';
import { createRolloutDriver } from '../control/rollout-driver.ts';
import { NO_COUNTS } from '../rollout/plan.ts';
import type { ReloadOutcome } from '../control/reload.ts';
import { readOrCreateSecret } from '../control/secret.ts';
import { clearRow, createSharedState } from '../control/shared-state.ts';
import { openState } from '../control/state.ts';
import { createSupervisor, type Supervisor } from '../control/supervisor.ts';
import { createToolchain } from '../control/toolchain.ts';
import { RateLimiter } from '../limits/gcra.ts';
import { monotonicNow } from '../limits/monotonic.ts';
import { systemClock } from '../model/clock.ts';
import type { RequestTrace } from '../model/protocol.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { VERSION } from '../model/version.ts';
import { threadCounter } from '../observability/definitions.ts';
import type { Log } from '../observability/log.ts';
import { MetricReader, MetricRow } from '../observability/metric-slab.ts';
import { MetricsServer } from '../observability/metrics-server.ts';
import { EpochClock } from '../runtime/epoch-clock.ts';
import { gatewayAddresses, localHost, requireFreePorts, urlOf } from './addresses.ts';
import { fleetSeed, joinFleet } from './fleet.ts';
import { logReload, readConfig, startReloading } from './reloading.ts';
import { threadMessages } from './thread-messages.ts';

const ENTRY = new URL(`../dataplane/entry${extname(import.meta.filename)}`, import.meta.url);
/** Threads for slow functions: more than cores, so that the kernel shares the cores among functions that hog them. */
const LANES = 4;
/** How long a thread may take to start; on a crowded machine that is seconds. */
const START_PATIENCE_MS = 60_000;
const SWEEP_EVERY_MS = 1000;
/** The whole rate-limit table is swept once in so many rounds. */
const SWEEP_ROUNDS = 30;
const INVOKE_TIMEOUT_MS = 60_000;
/** How often rollouts are looked at: what a bad revision may do meanwhile. */
const ROLLOUT_TICK_MS = 250;

export interface PlatformOptions {
  /** The configuration file, or its folder. */
  readonly path: string;
  readonly env: Environment;
  readonly log: Log;
  /** Called with every request (mayfly dev). */
  readonly onRequest?: ((trace: RequestTrace) => void) | undefined;
  /** A compiler that stays warm over builds (mayfly dev). */
  readonly compiler?: Compiler | undefined;
  /** false: new code gets all requests at once, whatever the file says (mayfly dev). */
  readonly rollouts?: boolean | undefined;
  /** Told what came of each reload, instead of the log. */
  readonly onReload?: ((outcome: ReloadOutcome) => void) | undefined;
}

export interface Platform {
  readonly resolved: Resolved;
  readonly addresses: {
    readonly gateway: string;
    readonly tls: string | null;
    readonly metrics: string | null;
    readonly admin: string;
  };
  readonly snapshot: Snapshot;
  readonly warnings: readonly string[];
  /** Size of each function's artifact in bytes, by name. */
  sizes(): ReadonlyMap<string, number>;
  reload(): Promise<ReloadOutcome>;
  /** After `server.drain_delay`, finishes what is in flight, for at most `graceMs`, and ends everything. Returns how many requests were cut. */
  stop(graceMs: number): Promise<number>;
}

/** Starts the whole platform. Throws MayflyError and leaves nothing running when it cannot. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const stack = new AsyncDisposableStack();
  try {
    return await wire(options, stack);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function wire(options: PlatformOptions, stack: AsyncDisposableStack): Promise<Platform> {
  const first = readConfig(options.path, options.env);
  const { resolved: running } = first;
  const { logger: log } = options.log;
  await requireFreePorts(running);

  mkdirSync(running.stateDirectory, { recursive: true, mode: 0o700 });
  const inState = (name: string) => join(running.stateDirectory, name);
  const state = stack.use(openState(inState('state.db'), { clock: systemClock }));
  const store = await openArtifactStore(inState('artifacts'));

  const fronts = running.threads ?? availableParallelism();
  const rows = fronts + LANES;
  const shared = createSharedState(rows, running.fleet === null ? null : fleetSeed(running.fleet));
  const clock = await EpochClock.start(shared.epoch);
  stack.defer(() => clock.stop());
  const limiter = new RateLimiter(shared.rateLimits);
  const reader = new MetricReader(shared.metrics);
  const mainRow = new MetricRow(shared.metrics, rows);

  const images = createImages(inState('images'), options.env);
  await images.keepOnly([
    ...running.functions.flatMap(({ source, canary }) =>
      [source, canary?.source].map((code) => (code?.type === 'image' ? code.reference : '')),
    ),
    ...state.functions().flatMap(({ name }) => state.revisions(name).map(({ source }) => source)),
  ]);

  let supervisor: Supervisor | null = null;
  const control = createControlPlane({
    state,
    store,
    tools: { ...createToolchain({ epoch: shared.epoch, compiler: options.compiler }), pull: images.pull },
    publish: async (snapshot) => supervisor?.publish(snapshot),
    onRemoved: ({ slot }) => reader.clearFunction(slot),
    onTrack: (slot, track) => reader.clearRevision(slot, track),
  });

  const keys = stack.use(
    createConfiguredKeys({
      onChange: async (jwks) => {
        // Before the first `follow` there is nothing to change yet: the blueprint takes the keys along.
        if (supervisor === null) return;
        await control.refound((before) => ({ ...before, auth: before.auth && { ...before.auth, jwks } }));
      },
      onProblem: (error) => log.warn(error.message),
    }),
  );

  const rollOut = options.rollouts ?? true;
  const blueprintOf = async (resolved: Resolved): Promise<Blueprint> => ({
    foundation: await layFoundation(resolved, {
      jwks: keys.current,
      threads: rows,
      traceRequests: options.onRequest !== undefined || resolved.logging.requests,
      policyCache: inState('policies'),
    }),
    functions: resolved.functions.map((item) => (rollOut ? item : { ...item, rollout: null })),
    trust: resolved.images,
    settle: (name, settings) => {
      const settled = resolved.settle(name, settings);
      return rollOut ? settled : { ...settled, rollout: null };
    },
    withRules: async (entrypoints) => {
      const { directory, policy } = resolved;
      return policy === null
        ? []
        : [await settlePolicy(directory, { ...policy, entrypoints }, inState('policies'))];
    },
  });

  const rollouts = createRolloutDriver({
    state,
    plane: control,
    clock: systemClock,
    log,
    counts: (name, number) => {
      const spec = control.snapshot.functions.find((item) => item.name === name);
      const share = spec?.traffic.find(({ revision }) => revision.number === number);
      if (spec === undefined || share === undefined) return NO_COUNTS;
      return reader.revision(spec.slot, share.track);
    },
  });

  await keys.follow(running.auth);
  await control.follow(await blueprintOf(running));

  const guestLogs = createGuestLogs({
    forward: ({ level, message, function: name, revision, requestId }) =>
      log[level]({ function: name, revision, request_id: requestId }, message),
  });
  const fleet =
    running.fleet === null
      ? null
      : stack.use(await joinFleet(running.fleet, limiter, () => control.snapshot, options.log));
  supervisor = createSupervisor({
    entry: ENTRY,
    fronts,
    lanes: LANES,
    shared,
    listen: running.listen,
    tls: running.tls === null ? null : { host: running.tls.host, port: running.tls.port },
    snapshot: control.snapshot,
    healthCheckIntervalMs: running.healthCheckIntervalMs,
    patienceMs: START_PATIENCE_MS,
    onMessage: threadMessages({
      log,
      guestLogs,
      logRequests: running.logging.requests,
      onRequest: options.onRequest,
      unknownKey: keys.unknownKey,
    }),
    onLost: (thread, reason) => {
      clearRow(shared, thread.row);
      mainRow.addThread(threadCounter.threadRestarts, 1);
      log.error({ ...thread, reason }, 'a data-plane thread died and is being replaced');
    },
  });
  stack.use(supervisor);
  const { port, tlsPort } = await supervisor.start();

  let served = running.hash;
  const reloading = stack.use(
    startReloading({
      path: options.path,
      env: options.env,
      first,
      apply: async (resolved) => {
        await keys.follow(resolved.auth);
        const changed = await control.follow(await blueprintOf(resolved));
        served = resolved.hash;
        return changed;
      },
      onOutcome: options.onReload ?? ((outcome) => logReload(log, outcome)),
    }),
  );
  const { reloader } = reloading;

  const sweeper = setInterval(
    () => limiter.sweep(monotonicNow(), Math.ceil(limiter.groups / SWEEP_ROUNDS)),
    SWEEP_EVERY_MS,
  );
  stack.defer(() => clearInterval(sweeper));

  const rolloutTimer = setInterval(() => void rollouts.tick(), ROLLOUT_TICK_MS);
  stack.defer(() => clearInterval(rolloutTimer));

  if (running.demandUrl !== null) {
    stack.use(
      startDemandReporter({
        url: running.demandUrl,
        tokenFile: running.demandTokenFile,
        read: () => readDemand(control.snapshot, shared, reader),
        onProblem: (error) => log.warn({ error: error.message }, 'the operator is not told about requests'),
      }),
    );
  }

  const addresses = gatewayAddresses(running, { port, tlsPort });
  const gatewayUrl = urlOf(addresses.gateway);
  const startedAt = systemClock.now();
  const { admin, metrics } = running;
  const adminServer = stack.use(
    await startAdminServer({
      host: admin.host,
      port: admin.port,
      token: readOrCreateSecret(admin.tokenFile, 'admin.token_file'),
      onError: (error) => log.error({ err: error }, 'the admin API failed'),
      operations: createOperations({
        plane: control,
        state,
        logs: guestLogs,
        rolloutProgress: (name) => rollouts.progress(name),
        settings: functionSettings,
        version: VERSION,
        invoke: (order) => invokeGateway(addresses.gateway, order, INVOKE_TIMEOUT_MS),
        status: () =>
          statusView({
            startedAt,
            gateway: gatewayUrl,
            snapshot: control.snapshot,
            threads: supervisor?.status() ?? [],
            warnings: control.warnings,
            lastReload: reloader.last,
          }),
        reload: async () => reloadView(await reloader.reload()),
      }),
    }),
  );
  const metricsServer =
    metrics === null
      ? null
      : stack.use(
          await MetricsServer.start({
            ...metrics,
            render: (format) =>
              renderMetricsPage(
                {
                  shared,
                  reader,
                  limiter,
                  rows,
                  snapshot: () => control.snapshot,
                  rollouts: { running: () => state.rollouts.running(), rollbacks: rollouts.rollbacks },
                  configHash: () => served,
                  fleet: () => fleet?.stats() ?? null,
                },
                format,
              ),
            isHealthy: () => true,
            about: () => ({ ...reloading.standing }),
          }),
        );

  return {
    resolved: running,
    addresses: {
      gateway: gatewayUrl,
      tls: addresses.tls === null ? null : urlOf(addresses.tls),
      metrics:
        metricsServer === null ? null : `http://${localHost(metrics?.host ?? '')}:${metricsServer.port}`,
      admin: `http://${admin.host}:${adminServer.port}`,
    },
    get snapshot() {
      return control.snapshot;
    },
    get warnings() {
      return [...running.warnings, ...control.warnings];
    },
    sizes: () => {
      const sizes = new Map<string, number>();
      for (const { name, traffic } of state.functions()) {
        const newest = Math.max(...traffic.map(({ revision }) => revision));
        sizes.set(name, state.revision(name, newest)?.bytes ?? 0);
      }
      return sizes;
    },
    reload: () => reloader.reload(),
    stop: async (graceMs) => {
      reloading[Symbol.dispose]();
      const { aborted } = (await supervisor?.drain(graceMs, running.drainDelayMs)) ?? { aborted: 0 };
      await stack.disposeAsync();
      return aborted;
    },
  };
}
