/** One Function's part of the `mayfly.yaml` of a gateway's pods. Pure. */
import { formatDuration } from '../../config/units.ts';
import { specTree } from '../resources/crd.ts';
import { type FunctionRoute, type GatewayedSpec, hasOwnPods, NONE } from '../resources/function.ts';
import { type RolloutStatus, type Shares, sharesOf } from '../rollout/rollout-state.ts';
import { FUNCTION, POLICY, RATE_LIMIT } from '../resources/kinds.ts';
import type { SecretKey } from '../resources/words.ts';
import type { NamedSettings } from './named-settings.ts';
import type { PlannedRoute } from './route-book.ts';
import { moduleFile, type PlacedFile, policyFile } from './files.ts';
import { literal, variable, written } from './sections.ts';
import { secretVariable } from './secrets.ts';

/** Why a function is not served. */
export interface Obstacle {
  readonly reason: string;
  readonly message: string;
}

export interface FunctionPart {
  /** As it stands under `functions`. */
  readonly entry: Readonly<Record<string, unknown>>;
  /** The image that is tried beside another one. */
  readonly candidate: string | null;
  readonly routes: readonly PlannedRoute[];
  /** What its routes ask. */
  readonly policies: readonly UsedPolicy[];
  readonly files: readonly PlacedFile[];
  readonly secrets: readonly SecretKey[];
}

const TREE = specTree(FUNCTION);
const POLICY_TREE = specTree(POLICY);
const RATE_LIMIT_TREE = specTree(RATE_LIMIT);
/** Keys that mean the same in both: of requests, and of the instances that answer them. */
const REQUEST_LIMITS = [
  'maxConcurrentRequests',
  'requestTimeout',
  'maxRequestBody',
  'maxResponseBody',
  'queueSize',
  'workerTimeout',
] as const satisfies readonly (keyof GatewayedSpec)[];
const INSTANCE_LIMITS = [
  'cpuBudget',
  'cpuLimit',
  'memoryLimit',
] as const satisfies readonly (keyof GatewayedSpec)[];

export interface UsedPolicy {
  /** Name of its file. */
  readonly file: string;
  readonly rule: string;
}

export interface FunctionPartOptions {
  readonly namespace: string;
  readonly name: string;
  readonly spec: GatewayedSpec;
  readonly settings: NamedSettings;
  /** How far a new image of it is. */
  readonly rollout: RolloutStatus | undefined;
  /** The Policy of those that name none. */
  readonly defaultPolicy: string;
}

export function functionPart(options: FunctionPartOptions): FunctionPart | Obstacle {
  const { name, spec } = options;
  const { code, candidate, files, secrets } = hasOwnPods(spec) ? elsewhere(options) : here(options);
  const policies: UsedPolicy[] = [];
  const routes: PlannedRoute[] = [];
  for (const route of spec.routes ?? [{ path: `/${name}` }, { path: `/${name}/*` }]) {
    const part = routePart(options, route);
    if ('reason' in part) return part;
    routes.push(part.route);
    if (part.policy === null) continue;
    const file = policyFile(part.policy.rego);
    policies.push({ file: file.name, rule: part.policy.rule });
    files.push(file);
  }
  const limits = limitsOf(spec, REQUEST_LIMITS);
  return { entry: { ...code, routes, ...limits }, candidate, routes, policies, files, secrets };
}

/** What of a part says where the code is. */
interface CodePart {
  readonly code: object;
  readonly candidate: string | null;
  readonly files: PlacedFile[];
  readonly secrets: readonly SecretKey[];
}

/** The gateway's pods run it. */
function here(options: FunctionPartOptions): CodePart {
  const { name, spec } = options;
  const files = spec.source === undefined ? [] : [moduleFile(name, spec.source.wasm)];
  const [module] = files;
  const shares = sharesOf(spec.image ?? '', spec.rollout, options.rollout);
  const source = module === undefined ? images(spec, shares) : { source: module.name };
  return {
    code: { ...source, env: environment(spec), ...limitsOf(spec, INSTANCE_LIMITS) },
    candidate: module === undefined ? (shares.candidate?.image ?? null) : null,
    files,
    secrets: Object.values(spec.secretEnv),
  };
}

/** It has pods, which have their values and limits themselves: requests go to their Service. How many pods is no matter here. */
function elsewhere({ namespace, name, spec }: FunctionPartOptions): CodePart {
  const { holdTimeout, service } = spec;
  const upstream = {
    url: `http://${name}.${namespace}.svc:${service.port}`,
    pods: `${namespace}/${name}`,
    ...(holdTimeout === undefined ? {} : { hold_timeout: formatDuration(holdTimeout) }),
  };
  return { code: { upstream }, candidate: null, files: [], secrets: [] };
}

function limitsOf(spec: GatewayedSpec, keys: readonly (keyof GatewayedSpec)[]): object {
  return written(TREE, Object.fromEntries(keys.map((key) => [key, spec[key]]))) as object;
}

/** One image or two: how they share the requests is decided where the Function is looked after. */
function images(spec: GatewayedSpec, { stable, candidate }: Shares): object {
  const address = (image: string) => literal(`oci://${image}`);
  if (candidate === null) return { source: address(stable) };
  const { maxP99 } = spec.rollout ?? {};
  const slow = maxP99 === undefined ? {} : { max_p99: formatDuration(maxP99) };
  return {
    source: address(stable),
    canary: { source: address(candidate.image), weight: candidate.weight, ...slow },
  };
}

function environment({ env, secretEnv }: GatewayedSpec): Record<string, string> {
  const values = [
    ...Object.entries(env).map(([key, value]) => [key, literal(value)] as const),
    ...Object.entries(secretEnv).map(([key, secret]) => [key, variable(secretVariable(secret))] as const),
  ];
  return Object.fromEntries(values.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

interface RoutePart {
  readonly route: PlannedRoute;
  readonly policy: { readonly rego: string; readonly rule: string } | null;
}

function routePart(
  { spec, settings, defaultPolicy }: FunctionPartOptions,
  route: FunctionRoute,
): RoutePart | Obstacle {
  const policyName = route.policy ?? spec.policy ?? defaultPolicy;
  const limitName = route.rateLimit ?? spec.rateLimit;
  const policy = policyName === NONE ? null : settings.policy(policyName);
  if (policy !== null && 'reason' in policy) return policy;
  const limit = limitName === undefined || limitName === NONE ? null : settings.rateLimit(limitName);
  if (limit !== null && 'reason' in limit) return limit;
  const auth = route.auth ?? spec.auth;
  return {
    route: {
      path: route.path,
      ...(route.host === undefined ? {} : { host: route.host }),
      ...(route.methods === undefined ? {} : { methods: route.methods }),
      ...(auth === undefined ? {} : { auth }),
      ...(limit === null ? {} : { rate_limit: written(RATE_LIMIT_TREE, limit) }),
      ...(limitName === NONE ? { rate_limit: false } : {}),
      policy:
        policy === null
          ? false
          : (written(POLICY_TREE, { rule: policy.rule, input: policy.input }) as object),
    } as PlannedRoute,
    policy: policy === null ? null : { rego: policy.rego, rule: policy.rule },
  };
}
