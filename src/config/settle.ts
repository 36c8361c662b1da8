/** One function's settings under the defaults of the file, in the words of the model. Pure. */
import type { Limits } from '../model/function.ts';
import type { UpstreamSpec } from '../model/upstream.ts';
import type { KeyPart, MappedValue, RateLimitSpec, RoutePolicySpec, RouteSpec } from '../model/route.ts';
import type { RolloutPlan } from '../rollout/plan.ts';
import { checkSettings, hasKeys, hasPolicy } from './checks.ts';
import { explain, explainFinding, type Origin } from './explain.ts';
import { ConfigError } from './issues.ts';
import { functionSettings, type FunctionSettings, type RouteSettings, type Settings } from './schema.ts';
import { functionName } from './sections/functions.ts';
import { describedAt } from './tree.ts';

/** All policies of a file are compiled together; this is their id in the snapshot. */
export const POLICY_ID = 'policy';

export interface SettledFunction {
  readonly routes: readonly RouteSpec[];
  readonly configuration: {
    readonly limits: Limits;
    readonly env: Readonly<Record<string, string>>;
    readonly upstream?: UpstreamSpec;
  };
  /** null: new code gets all requests at once. */
  readonly rollout: RolloutPlan | null;
}

export function settleFunction(
  settings: Settings,
  name: string,
  own: FunctionSettings,
  upstream: UpstreamSettings | undefined,
): SettledFunction {
  const routes = own.routes ?? [{ path: `/${name}` }, { path: `/${name}/*` }];
  return {
    routes: routes.map((route) => settleRoute(settings, name, route)),
    configuration: {
      limits: settleLimits(settings, own),
      env: own.env,
      ...(upstream === undefined ? {} : { upstream: settleUpstream(upstream) }),
    },
    rollout: settleRollout(own.rollout ?? settings.function.rollout),
  };
}

type UpstreamSettings = NonNullable<Settings['functions'][string]['upstream']>;

function settleUpstream({ url, hold_timeout, pods }: UpstreamSettings): UpstreamSpec {
  return { url: new URL(url).origin, holdMs: hold_timeout, pods: pods ?? null };
}

/**
 * The same for settings that came over the admin API (null: none were given), which have to be checked first.
 * Throws ConfigError; the key paths in it are those that the settings would have in the file.
 */
export function settleSettings(settings: Settings, name: string, input: unknown): SettledFunction {
  const at = ['functions', name];
  const named = functionName.safeParse(name);
  if (!named.success) {
    const { message } = named.error.issues[0] as { message: string };
    throw new ConfigError('request', [
      explainFinding({ path: at, part: 'key', message, allowed: NAME_RULE }, originOf(name, input)),
    ]);
  }
  const parsed = functionSettings.safeParse(input ?? {});
  const origin = originOf(name, input);
  if (!parsed.success) {
    const placed = parsed.error.issues.map((issue) => ({ ...issue, path: [...at, ...issue.path] }));
    throw new ConfigError('request', explain(placed, origin));
  }
  const alone = { ...settings, functions: { [name]: { source: '', ...parsed.data } } };
  const findings = checkSettings(alone);
  if (findings.length > 0) {
    throw new ConfigError(
      'request',
      findings.map((finding) => explainFinding(finding, origin)),
    );
  }
  return settleFunction(settings, name, parsed.data, undefined);
}

const NAME_RULE = describedAt(['functions'])?.propertyNames?.kind ?? null;

function originOf(name: string, input: unknown): Origin {
  return {
    place: () => ({ file: 'request' }),
    written(path) {
      let value: unknown = { functions: { [name]: input } };
      for (const step of path) value = (value as Record<string | number, unknown> | null | undefined)?.[step];
      if (value === undefined) return null;
      return typeof value === 'object' && value !== null
        ? 'an object or a list'
        : JSON.stringify(value).slice(0, 60);
    },
  };
}

function settleLimits({ function: shared, concurrency }: Settings, own: FunctionSettings): Limits {
  const cpuMillicores = own.cpu_limit ?? shared.cpu_limit;
  const requestTimeoutMs = own.request_timeout ?? shared.request_timeout;
  return {
    memoryBytes: own.memory_limit ?? shared.memory_limit,
    cpuBudgetMs: own.cpu_budget ?? shared.cpu_budget ?? cpuBudget(cpuMillicores, requestTimeoutMs),
    cpuMillicores,
    requestTimeoutMs,
    maxRequestBodyBytes: own.max_request_body ?? shared.max_request_body,
    maxResponseBodyBytes: own.max_response_body ?? shared.max_response_body,
    maxConcurrentRequests: own.max_concurrent_requests ?? shared.max_concurrent_requests,
    queueSize: own.queue_size ?? concurrency.queue_size,
    queueTimeoutMs: own.worker_timeout ?? concurrency.worker_timeout,
  };
}

function settleRollout(set: FunctionSettings['rollout']): RolloutPlan | null {
  if (set === undefined || set === false) return null;
  return {
    steps: set.steps,
    intervalMs: set.interval,
    minRequests: set.min_requests,
    maxErrorRate: set.max_error_rate,
    maxP99Ms: set.max_p99 ?? null,
  };
}

/** What the share of a core comes to over the longest time that a request may take; a guest has one thread. */
function cpuBudget(millicores: number, requestTimeoutMs: number): number {
  return Math.max(1, Math.round((requestTimeoutMs * Math.min(millicores, 1000)) / 1000));
}

function settleRoute(settings: Settings, name: string, route: RouteSettings): RouteSpec {
  const host = route.host?.toLowerCase() ?? null;
  const methods = route.methods ?? null;
  const id = `${name} ${methods === null ? '*' : methods.join(',')} ${host ?? ''}${route.path}`;
  return {
    id,
    function: name,
    host,
    path: route.path,
    methods,
    auth: hasKeys(settings) ? (route.auth ?? 'required') : 'public',
    rateLimit: settleRateLimit(settings, id, route.rate_limit),
    policy: settlePolicy(settings, route.policy),
  };
}

/** A limit of a route's own is named after the route, so that it is counted apart from the shared one. */
function settleRateLimit(
  { rate_limit: shared, security }: Settings,
  id: string,
  own: RouteSettings['rate_limit'],
): RateLimitSpec | null {
  if (own === false || !security.rate_limit_enabled) return null;
  return {
    name: own === undefined ? 'default' : id,
    requestsPerSecond: own?.requests_per_second ?? shared.requests_per_second,
    burst: own?.burst_size ?? shared.burst_size,
    windowMs: own?.window_size ?? shared.window_size,
    key: (own?.key ?? shared.key).map(keyPart),
  };
}

function keyPart(text: string): KeyPart {
  const [by, name = ''] = splitOnce(text, ':');
  if (by === 'header') return { by, name: name.toLowerCase() };
  if (by === 'claim') return { by, name };
  return { by: by as 'function' | 'user' | 'ip' };
}

function settlePolicy(settings: Settings, own: RouteSettings['policy']): RoutePolicySpec | null {
  if (own === false || !hasPolicy(settings)) return null;
  const input = { ...settings.policy.input, ...own?.input };
  return {
    policy: POLICY_ID,
    entrypoint: entrypointOf(own?.rule ?? settings.policy.rule),
    mapping: Object.entries(input).map(([field, source]) => ({
      path: field.split('.'),
      value: mappedValue(source),
    })),
  };
}

/** `data.serverless.allow` → `serverless/allow`, as OPA names entrypoints. */
export function entrypointOf(rule: string): string {
  return rule.split('.').slice(1).join('/');
}

function mappedValue(source: string): MappedValue {
  if (source.startsWith('=')) return { from: 'constant', value: source.slice(1) };
  const [from, name = ''] = splitOnce(source, ':');
  switch (from) {
    case 'body':
      return { from, pointer: name };
    case 'header':
      return { from, name: name.toLowerCase() };
    case 'claim':
    case 'query':
      return { from, name };
    default:
      throw new Error(`no such source: ${from}`);
  }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
