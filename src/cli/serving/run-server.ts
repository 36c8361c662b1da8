/** A server from start to end: log, platform, what it says, what signals do to it. */
import { resolve } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import { resolveConfig, type Resolved } from '../../config/resolve.ts';
import { VERSION } from '../../model/version.ts';
import { createLog, type Log } from '../../observability/log.ts';
import { startPlatform, type Platform, type PlatformOptions } from '../../platform/platform.ts';
import { makeToken } from '../token.ts';
import type { Terminal } from '../ui/report.ts';
import { startSpinner } from '../ui/spinner.ts';
import { paintFor } from '../ui/terminal.ts';
import { curlLine, demoFromRoutes, readDemo, type DemoCall } from './demo.ts';
import { formatOverview, functionRows, overviewWarnings, type Overview } from './overview.ts';
import { announce } from './runtime-file.ts';
import { onSignals } from './signals.ts';

/** How long requests in flight may take when the server is asked to end. */
const GRACE_MS = 25_000;

export interface ServerOptions {
  readonly path: string;
  readonly terminal: Terminal;
  /** Instead of what the file says. */
  readonly overrides: Readonly<Record<string, string | undefined>>;
  /** Default: what the file says. */
  readonly logFormat?: 'text' | undefined;
  readonly extras?: Pick<PlatformOptions, 'onRequest' | 'compiler' | 'onReload' | 'rollouts'> | undefined;
}

export interface RunningServer {
  readonly platform: Platform;
  readonly log: Log;
  readonly overview: Overview;
  /** Resolves when it was asked to end and everything is closed. */
  readonly ended: Promise<void>;
}

/** Starts; throws MayflyError and leaves nothing running when it cannot. */
export async function runServer({
  path,
  terminal,
  overrides,
  logFormat,
  extras,
}: ServerOptions): Promise<RunningServer> {
  const begun = performance.now();
  const env = { ...terminal.env, ...withoutUnset(overrides) };
  const { logging } = resolveConfig(loadConfig(path, env));
  const log = createLog({ ...logging, format: logFormat ?? logging.format });
  const spinner = startSpinner(terminal.err, paintFor(terminal.err, terminal.env), `starting ${path}`);
  let platform: Platform;
  try {
    platform = await startPlatform({ path, env, log, ...extras });
  } finally {
    spinner.stop();
  }
  const overview = await describe(platform, Math.round(performance.now() - begun));
  const note = announce(
    {
      admin: overview.addresses.admin,
      tokenFile: platform.resolved.admin.tokenFile,
      pid: process.pid,
      config: overview.config,
    },
    terminal.env,
  );
  const { promise: ended, resolve: finish, reject: fail } = Promise.withResolvers<void>();
  const signals = onSignals({
    onEnd: () => void end().then(finish, fail),
    onHangup: () => void hangup(platform, log),
  });
  const end = async () => {
    log.logger.info('finishing what is in flight; ask again to end at once');
    const aborted = await platform.stop(GRACE_MS);
    note[Symbol.dispose]();
    signals[Symbol.dispose]();
    log.logger.info({ aborted }, 'ended');
    log.flush();
  };
  return { platform, log, overview, ended };
}

/** The overview goes to stdout before the first request can be logged there. */
export function printOverview({ out, env, json }: Terminal, overview: Overview): void {
  out.write(json ? `${JSON.stringify(overview)}\n` : formatOverview(overview, paintFor(out, env)));
}

async function hangup(platform: Platform, log: Log): Promise<void> {
  try {
    log.reopen();
  } catch (error) {
    log.logger.error((error as Error).message);
  }
  await platform.reload();
}

async function describe(platform: Platform, startMs: number): Promise<Overview> {
  const { resolved, snapshot, addresses } = platform;
  const canSign = showsTokens(resolved);
  const demo = readDemo(resolved.directory) ?? demoFromRoutes(snapshot.routes, canSign);
  const gateway = addresses.tls ?? addresses.gateway;
  return {
    version: VERSION,
    pid: process.pid,
    config: resolve(resolved.file),
    addresses,
    functions: functionRows(snapshot, platform.sizes()),
    start_ms: startMs,
    warnings: overviewWarnings(platform),
    try: {
      allowed: await tryLine(gateway, demo.allowed, resolved),
      denied: await tryLine(gateway, demo.denied, resolved),
    },
  };
}

/** A demo token is for development, where Mayfly made the secret. One made with a secret from the environment could end up in a log. */
function showsTokens({ auth }: Resolved): boolean {
  return auth?.secret != null && 'file' in auth.secret;
}

async function tryLine(gateway: string, call: DemoCall | null, resolved: Resolved): Promise<string | null> {
  if (call === null) return null;
  if (call.claims === null) return curlLine(gateway, call, null);
  if (!showsTokens(resolved)) return null;
  return curlLine(gateway, call, (await makeToken(resolved, call.claims)).token);
}

function withoutUnset(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
