/** A loaded configuration, settled: paths absolute, defaults in place, everything in the words of the model. Pure. */
import { type CodeSource, type ImageTrust, isImageSource } from '../model/code-source.ts';
import type { AuthSpec, HttpSpec, Snapshot } from '../model/snapshot.ts';
import { hasKeys, hasPolicy } from './checks.ts';
import { besideConfig } from './files.ts';
import type { Config } from './load.ts';
import type { Settings } from './schema.ts';
import { entrypointOf, settleFunction, settleSettings, type SettledFunction } from './settle.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** How tokens are verified. Files and addresses are read by the control plane. */
export interface AuthPlan extends Omit<AuthSpec, 'secret' | 'jwks'> {
  readonly secret: { readonly text: string } | { readonly file: string } | null;
  readonly jwks: { readonly file: string } | { readonly url: string; readonly refreshMs: number } | null;
}

export interface PolicyPlan {
  /** Paths and globs as written; `policyFiles(directory, patterns)` gives the files. Empty with `opaUrl`. */
  readonly patterns: readonly string[];
  readonly dataFile: string | null;
  /** Folder with policies that were compiled elsewhere; null: there is none. */
  readonly compiledFolder: string | null;
  readonly opaUrl: string | null;
  /** All rules that a route of the file asks, the default one first. */
  readonly entrypoints: readonly string[];
}

export interface DeclaredFunction extends SettledFunction {
  readonly name: string;
  /** Paths are absolute. */
  readonly source: CodeSource;
  /** A second revision with a fixed share of the requests, percent. */
  readonly canary: DeclaredCanary | null;
}

export interface DeclaredCanary {
  readonly source: CodeSource;
  readonly weight: number;
  /** Requests that take longer are counted as slow; null: none are. */
  readonly maxP99Ms: number | null;
}

export interface FleetPlan extends Address {
  readonly secure: boolean;
  readonly user: string;
  readonly password: string | null;
  readonly caFile: string | null;
  readonly name: string;
  readonly intervalMs: number;
}

export interface Logging {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'json' | 'text';
  /** `stdout`, `stderr` or an absolute path. */
  readonly output: string;
  readonly requests: boolean;
}

export interface Resolved {
  readonly file: string;
  readonly directory: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly hash: string;
  readonly stateDirectory: string;
  /** Plain HTTP; null when TLS took its port. */
  readonly listen: Address | null;
  readonly tls: (Address & { readonly certificateFile: string; readonly keyFile: string }) | null;
  /** From being asked to end to the end of listening. */
  readonly drainDelayMs: number;
  /** null: one for each core. */
  readonly threads: number | null;
  readonly http: Omit<HttpSpec, 'tls'>;
  /** null: nobody is asked to sign in. */
  readonly auth: AuthPlan | null;
  /** Lifetime of tokens that are issued here. */
  readonly tokenExpiryMs: number;
  /** null: the authorise stage is off. */
  readonly policy: PolicyPlan | null;
  readonly decisionLog: Snapshot['decisionLog'];
  /** Over all threads. */
  readonly maxInstances: number;
  readonly functions: readonly DeclaredFunction[];
  /** How functions from images are checked. */
  readonly images: ImageTrust;
  readonly logging: Logging;
  /** null: no /metrics. */
  readonly metrics: Address | null;
  /** Who is told about the demand of functions in pods; null: nobody. */
  readonly demandUrl: string | null;
  /** The token that reports are sent with; null: none. */
  readonly demandTokenFile: string | null;
  readonly healthCheckIntervalMs: number;
  /** null: this gateway is alone. */
  readonly fleet: FleetPlan | null;
  readonly admin: Address & { readonly tokenFile: string };
  /** What is allowed but deserves a word at start. */
  readonly warnings: readonly string[];
  /** Settles what the admin API was given for a function (null: nothing). Throws ConfigError. */
  settle(name: string, settings: unknown): SettledFunction;
}

export function resolveConfig({ file, directory, hash, settings }: Config): Resolved {
  const absolute = (path: string) => besideConfig(directory, path);
  const { server, monitoring, admin, logging, concurrency, security, state } = settings;
  const functions = Object.entries(settings.functions).map(
    ([name, { source, build, canary, upstream, ...own }]) => ({
      name,
      source:
        upstream === undefined
          ? codeSource(source ?? '', build, absolute)
          : { type: 'upstream' as const, url: upstream.url },
      canary: declaredCanary(canary, build, absolute),
      ...settleFunction(settings, name, own, upstream),
    }),
  );
  const tlsTakesPort = server.tls !== undefined && server.tls.port === undefined;
  return {
    file,
    directory,
    hash,
    stateDirectory: absolute(state.directory),
    listen: tlsTakesPort ? null : { host: server.host, port: server.port },
    tls:
      server.tls === undefined
        ? null
        : {
            host: server.host,
            port: server.tls.port ?? server.port,
            certificateFile: absolute(server.tls.certificate),
            keyFile: absolute(server.tls.key),
          },
    drainDelayMs: server.drain_delay,
    threads: server.threads ?? null,
    http: {
      maxHeadBytes: server.max_header_size,
      maxHeaders: server.max_headers,
      maxTargetBytes: Math.floor(server.max_header_size / 2),
      timeoutMs: server.timeout,
      maxConnections: server.max_connections,
    },
    auth: authPlan(settings, absolute),
    tokenExpiryMs: security.token_expiry,
    policy: policyPlan(settings, absolute, functions),
    decisionLog: decisionLog(settings),
    maxInstances: concurrency.max_workers,
    functions,
    images: {
      keyFiles: security.images.keys.map(absolute),
      caFile: security.images.ca_file === undefined ? null : absolute(security.images.ca_file),
      plainHttp: security.images.plain_http,
    },
    logging: { ...logging, output: logOutput(logging.output, absolute) },
    metrics: monitoring.enabled
      ? { host: monitoring.host ?? server.host, port: monitoring.metrics_port }
      : null,
    demandUrl: settings.demand.report_to ?? null,
    demandTokenFile: settings.demand.token_file === undefined ? null : absolute(settings.demand.token_file),
    healthCheckIntervalMs: monitoring.health_check_interval,
    fleet: settings.fleet === undefined ? null : fleetPlan(settings.fleet, absolute),
    admin: { host: admin.host, port: admin.port, tokenFile: absolute(admin.token_file) },
    warnings: warningsFor(settings),
    settle: (name, own) => settleSettings(settings, name, own),
  };
}

/** Port that Valkey and Redis are given. */
const STORE_PORT = 6379;

function fleetPlan(fleet: NonNullable<Settings['fleet']>, absolute: ToAbsolute): FleetPlan {
  const [scheme, rest = ''] = fleet.store.split('://');
  const [, host = '', port] = /^(.*?)(?::(\d+))?\/?$/.exec(rest.replace(/\/$/, '')) ?? [];
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port: port === undefined ? STORE_PORT : Number(port),
    secure: scheme === 'rediss' || scheme === 'valkeys',
    user: fleet.user,
    password: fleet.password ?? null,
    caFile: fleet.ca_file === undefined ? null : absolute(fleet.ca_file),
    name: fleet.name,
    intervalMs: fleet.interval,
  };
}

type ToAbsolute = (path: string) => string;
type Entry = Settings['functions'][string];

function codeSource(source: string, build: Entry['build'], absolute: ToAbsolute): CodeSource {
  if (isImageSource(source)) return { type: 'image', reference: source };
  return { type: 'path', path: absolute(source), build: build ?? null };
}

function declaredCanary(
  canary: Entry['canary'],
  build: Entry['build'],
  absolute: ToAbsolute,
): DeclaredCanary | null {
  if (canary === undefined) return null;
  const { source, weight, max_p99 } = canary;
  return { source: codeSource(source, build, absolute), weight, maxP99Ms: max_p99 ?? null };
}

function authPlan(settings: Settings, absolute: ToAbsolute): AuthPlan | null {
  if (!hasKeys(settings)) return null;
  const { jwt_secret, jwt_secret_file, jwks_file, jwks_url, jwks_refresh, ...security } = settings.security;
  let secret: AuthPlan['secret'] = null;
  if (jwt_secret !== undefined) secret = { text: jwt_secret };
  else if (jwt_secret_file !== undefined) secret = { file: absolute(jwt_secret_file) };
  let jwks: AuthPlan['jwks'] = null;
  if (jwks_file !== undefined) jwks = { file: absolute(jwks_file) };
  else if (jwks_url !== undefined) jwks = { url: jwks_url, refreshMs: jwks_refresh };
  return {
    secret,
    jwks,
    issuer: security.issuer ?? null,
    audience: security.audience ?? null,
    maxTokenAgeMs: security.token_expiry,
    clockToleranceMs: security.clock_tolerance,
  };
}

function policyPlan(
  settings: Settings,
  absolute: ToAbsolute,
  functions: readonly SettledFunction[],
): PolicyPlan | null {
  if (!hasPolicy(settings)) return null;
  const { files, data, compiled, opa_url, rule } = settings.policy;
  const asked = functions.flatMap(({ routes }) => routes.flatMap(({ policy }) => policy?.entrypoint ?? []));
  return {
    patterns: files,
    dataFile: data === undefined ? null : absolute(data),
    compiledFolder: compiled === undefined ? null : absolute(compiled),
    opaUrl: opa_url?.replace(/\/+$/, '') ?? null,
    entrypoints: [...new Set([entrypointOf(rule), ...asked])],
  };
}

function decisionLog({ policy: { decision_log } }: Settings): Snapshot['decisionLog'] {
  return decision_log.enabled ? { sample: decision_log.sample, mask: decision_log.mask } : null;
}

function logOutput(output: string, absolute: ToAbsolute): string {
  return output === 'stdout' || output === 'stderr' ? output : absolute(output);
}

/** RFC 7518 §3.2: an HS256 key has as many bits as the hash. */
const SECRET_BYTES = 32;

function warningsFor({ security }: Settings): string[] {
  if (security.jwt_secret === undefined || Buffer.byteLength(security.jwt_secret) >= SECRET_BYTES) return [];
  return [
    `security.jwt_secret is shorter than ${SECRET_BYTES} bytes: such a secret can be guessed from one token.`,
  ];
}
