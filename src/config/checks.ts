/** What no single key can tell: keys that contradict each other. Pure; places are key paths. */
import { isImageSource } from '../model/code-source.ts';
import type { Finding } from './explain.ts';
import type { RouteSettings, Settings } from './schema.ts';

export function checkSettings(settings: Settings): Finding[] {
  return [
    ...portFindings(settings),
    ...securityFindings(settings),
    ...policyFindings(settings),
    ...sourceFindings(settings),
    ...imageFindings(settings),
    ...rolloutFindings(settings),
    ...routeFindings(settings),
  ];
}

/** True when there is anything that a token could be verified with. */
export function hasKeys({ security }: Pick<Settings, 'security'>): boolean {
  const { jwt_secret, jwt_secret_file, jwks_file, jwks_url } = security;
  return [jwt_secret, jwt_secret_file, jwks_file, jwks_url].some((source) => source !== undefined);
}

export function hasPolicy({ policy }: Pick<Settings, 'policy'>): boolean {
  return policy.files.length > 0 || policy.opa_url !== undefined;
}

function portFindings({ server, admin, monitoring }: Settings): Finding[] {
  const ports: { path: string[]; port: number | undefined }[] = [
    { path: ['server', 'port'], port: server.port },
    { path: ['server', 'tls', 'port'], port: server.tls?.port },
    { path: ['monitoring', 'metrics_port'], port: monitoring.enabled ? monitoring.metrics_port : undefined },
    { path: ['admin', 'port'], port: admin.port },
  ];
  const findings: Finding[] = [];
  const taken = new Map<number, string>();
  for (const { path, port } of ports) {
    if (port === undefined || port === 0) continue;
    const holder = taken.get(port);
    if (holder === undefined) taken.set(port, path.join('.'));
    else findings.push({ path, message: `is the same port as ${holder}`, allowed: 'a port of its own' });
  }
  return findings;
}

function securityFindings({ security }: Settings): Finding[] {
  const findings: Finding[] = [];
  const only = (first: keyof typeof security, second: keyof typeof security) => {
    if (security[first] === undefined || security[second] === undefined) return;
    findings.push({
      path: ['security', second],
      message: `stands beside ${first}`,
      allowed: 'one of the two',
    });
  };
  only('jwt_secret', 'jwt_secret_file');
  only('jwks_file', 'jwks_url');
  return findings;
}

function policyFindings(settings: Settings): Finding[] {
  const { policy, functions } = settings;
  const findings: Finding[] = [];
  if (policy.opa_url !== undefined && policy.files.length > 0) {
    findings.push({
      path: ['policy', 'opa_url'],
      message: 'stands beside policy.files',
      allowed: 'one of the two: decide here, or ask a running OPA',
    });
  }
  findings.push(...inputFindings(policy.input, ['policy', 'input']));
  for (const [name, entry] of Object.entries(functions)) {
    for (const [index, route] of (entry.routes ?? []).entries()) {
      const path = ['functions', name, 'routes', index, 'policy'];
      if (route.policy === undefined || route.policy === false) continue;
      findings.push(...inputFindings(route.policy.input ?? {}, [...path, 'input']));
      if (hasPolicy(settings)) continue;
      findings.push({
        path,
        part: 'key',
        message: 'names a policy, but there is none',
        allowed: 'policy.files or policy.opa_url beside it',
      });
    }
  }
  return findings;
}

/** The keys of a function that say where its code comes from. */
const CODE_KEYS = ['source', 'build', 'canary', 'rollout', 'env'] as const;

function sourceFindings({ functions }: Settings): Finding[] {
  return Object.entries(functions).flatMap(([name, entry]): Finding[] => {
    const at = ['functions', name];
    if (entry.upstream === undefined) {
      if (entry.source !== undefined) return [];
      const allowed = 'source, where its code is, or upstream, where it runs';
      return [{ path: at, part: 'key', message: 'has no code', allowed }];
    }
    return CODE_KEYS.filter((key) => isSet(entry[key])).map((key) => ({
      path: [...at, key],
      part: 'key',
      message: 'stands beside upstream',
      allowed: 'one of the two: what runs elsewhere is deployed and configured there',
    }));
  });
}

function isSet(value: unknown): boolean {
  return (
    value !== undefined && (typeof value !== 'object' || value === null || Object.keys(value).length > 0)
  );
}

function imageFindings({ functions }: Settings): Finding[] {
  const findings: Finding[] = [];
  for (const [name, { source, build, canary }] of Object.entries(functions)) {
    if (source === undefined) continue;
    findings.push(...pinFindings(source, ['functions', name, 'source']));
    findings.push(...pinFindings(canary?.source ?? '', ['functions', name, 'canary', 'source']));
    if (!isImageSource(source) || build === undefined) continue;
    findings.push({
      path: ['functions', name, 'build'],
      part: 'key',
      message: 'stands beside a source that is an image',
      allowed: 'one of the two: an image is built already',
    });
  }
  return findings;
}

function pinFindings(source: string, at: string[]): Finding[] {
  if (!isImageSource(source) || /^[^@]+@sha256:[0-9a-f]{64}$/.test(source)) return [];
  return [
    {
      path: at,
      message: 'names an image, but not by its digest',
      allowed: 'oci://HOST/REPOSITORY@sha256:…, as `mayfly image inspect` shows it',
    },
  ];
}

function rolloutFindings({ function: shared, functions }: Settings): Finding[] {
  const findings = stepFindings(shared.rollout, ['function']);
  for (const [name, { rollout, canary }] of Object.entries(functions)) {
    if (!rollout) continue;
    const at = ['functions', name];
    findings.push(...stepFindings(rollout, at));
    if (canary === undefined) continue;
    findings.push({
      path: [...at, 'canary'],
      part: 'key',
      message: 'stands beside rollout',
      allowed: 'one of the two: a share that stays, or one that grows by itself',
    });
  }
  return findings;
}

function stepFindings(rollout: { readonly steps: readonly number[] } | undefined, at: string[]): Finding[] {
  const steps = rollout?.steps ?? [];
  if (steps.every((step, index) => index === 0 || step > (steps[index - 1] as number))) return [];
  return [
    {
      path: [...at, 'rollout', 'steps'],
      message: 'does not go up',
      allowed: 'percentages from small to large, such as [5, 25, 50]',
    },
  ];
}

/** Fields that the gateway vouches for: a mapping must not let a client write them. */
const OWN_FIELDS = ['method', 'path', 'query', 'user', 'rate_limit', 'function', 'request'];
const NO_FIELDS = new Set(['__proto__', 'constructor', 'prototype']);

function inputFindings(input: Readonly<Record<string, string>>, at: (string | number)[]): Finding[] {
  const fields = Object.keys(input);
  return fields.flatMap((field): Finding[] => {
    const path = [...at, field];
    const parts = field.split('.');
    if (OWN_FIELDS.includes(parts[0] as string)) {
      const allowed = `any field but ${OWN_FIELDS.join(', ')}`;
      return [{ path, part: 'key', message: 'is a field that the gateway fills in', allowed }];
    }
    if (parts.some((part) => NO_FIELDS.has(part))) {
      return [{ path, part: 'key', message: 'cannot be the name of a field' }];
    }
    const inner = fields.find((other) => other.startsWith(`${field}.`));
    if (inner === undefined) return [];
    return [{ path, part: 'key', message: `is a value, but ${inner} needs it to be an object` }];
  });
}

/** Answered by the gateway itself. */
const OWN_PATHS = ['/health', '/ready'];

interface Placed {
  readonly name: string;
  readonly route: RouteSettings;
  readonly at: (string | number)[];
}

function routeFindings(settings: Settings): Finding[] {
  const findings: Finding[] = [];
  const placed: Placed[] = [];
  for (const [name, entry] of Object.entries(settings.functions)) {
    const routes = entry.routes ?? [{ path: `/${name}` }, { path: `/${name}/*` }];
    for (const [index, route] of routes.entries()) {
      const at = entry.routes === undefined ? ['functions', name] : ['functions', name, 'routes', index];
      const here = { name, route, at };
      findings.push(...singleRouteFindings(here, settings));
      const rival = placed.find((other) => overlap(here, other));
      if (rival !== undefined) {
        const message = `answers the same requests as ${rival.at.length === 2 ? `functions.${rival.name}` : `a route of ${rival.name}`} (${describe(rival.route)})`;
        findings.push({ path: at, part: 'key', message, allowed: 'another path, host or method' });
      }
      placed.push(here);
    }
  }
  return findings;
}

function singleRouteFindings({ route, at }: Placed, settings: Settings): Finding[] {
  const findings: Finding[] = [];
  if (OWN_PATHS.includes(route.path)) {
    findings.push({
      path: [...at, 'path'],
      message: 'is answered by the gateway itself',
      allowed: `any path but ${OWN_PATHS.join(' and ')}`,
    });
  }
  if ((route.auth === 'required' || route.auth === 'optional') && !hasKeys(settings)) {
    findings.push({
      path: [...at, 'auth'],
      message: 'needs something to verify tokens with, and there is none',
      allowed: 'security.jwt_secret, jwt_secret_file, jwks_file or jwks_url beside it, or public',
    });
  }
  return findings;
}

/** Within a function, a route for every method takes what its routes with named methods leave; between two it is a conflict. */
function overlap(a: Placed, b: Placed): boolean {
  if (a.route.path !== b.route.path || a.route.host?.toLowerCase() !== b.route.host?.toLowerCase())
    return false;
  const [ours, theirs] = [a.route.methods, b.route.methods];
  if (ours === undefined || theirs === undefined) return a.name !== b.name || ours === theirs;
  return ours.some((method) => theirs.includes(method));
}

function describe({ host, path, methods }: RouteSettings): string {
  return `${methods === undefined ? '' : `${methods.join(', ')} `}${host ?? ''}${path}`;
}
