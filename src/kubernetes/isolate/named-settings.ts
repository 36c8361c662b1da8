/** The Policies and RateLimits that Functions name, as far as they can be used. Pure. */
import type { KubeObject } from '../cluster/objects.ts';
import { POLICY, RATE_LIMIT } from '../resources/kinds.ts';
import { parseSpec } from '../resources/parse.ts';
import type { PolicySpec } from '../resources/policy.ts';
import type { RateLimitSpec } from '../resources/rate-limit.ts';
import type { PlacedFile } from './files.ts';
import type { Obstacle } from './function-part.ts';

export interface Found {
  policy(name: string): KubeObject | undefined;
  rateLimit(name: string): KubeObject | undefined;
  /** What is wrong with the Rego of a Policy; null: nothing. */
  verdict(policy: PolicySpec): string | null;
  /** The rules of a gateway as pods need not compile them; null: they have to. */
  compiled(rules: GatewayRules): PlacedFile | null;
}

/** What the pods of a gateway compile together. */
export interface GatewayRules {
  /** Rego by name of its file. */
  readonly files: Readonly<Record<string, string>>;
  /** Those that routes ask: `data.shop.allow`. */
  readonly rules: readonly string[];
}

/** What Functions name; where that is not to be had, why. */
export interface NamedSettings {
  policy(name: string): PolicySpec | Obstacle;
  rateLimit(name: string): RateLimitSpec | Obstacle;
}

export function namedSettings(found: Found): NamedSettings {
  /** Package → the Policy that has it, and its rules. */
  const packages = new Map<string, { readonly name: string; readonly rego: string }>();
  const policy = (name: string): PolicySpec | Obstacle => {
    const object = found.policy(name);
    if (object === undefined) return missing('Policy', name);
    const parsed = parseSpec(POLICY, object);
    if ('problem' in parsed) return { reason: 'PolicyInvalid', message: `Policy ${name}: ${parsed.problem}` };
    const problem = found.verdict(parsed.spec);
    if (problem !== null) return { reason: 'PolicyInvalid', message: `Policy ${name}: ${problem}` };
    const own = packageOf(parsed.spec.rego);
    const { rego } = parsed.spec;
    const holder = packages.get(own) ?? { name, rego };
    packages.set(own, holder);
    if (holder.rego === rego) return parsed.spec;
    // All rules of a gateway are compiled together: what one denies, rules of the same name elsewhere could allow.
    const message = `Policies ${holder.name} and ${name} both have the package ${own}, with other rules. Give one of them another package, or use another gateway.`;
    return { reason: 'PolicyConflict', message };
  };
  const rateLimit = (name: string): RateLimitSpec | Obstacle => {
    const object = found.rateLimit(name);
    if (object === undefined) return missing('RateLimit', name);
    const parsed = parseSpec(RATE_LIMIT, object);
    if ('spec' in parsed) return parsed.spec;
    return { reason: 'RateLimitInvalid', message: `RateLimit ${name}: ${parsed.problem}` };
  };
  return { policy: once(policy), rateLimit: once(rateLimit) };
}

function missing(kind: 'Policy' | 'RateLimit', name: string): Obstacle {
  return { reason: `${kind}Missing`, message: `There is no ${kind} ${name} in this namespace. Create it.` };
}

/** https://www.openpolicyagent.org/docs/policy-language#packages; empty where there is none, which the compiler refuses. */
function packageOf(rego: string): string {
  return /^\s*package\s+([^\s#;]+)/m.exec(rego)?.[1] ?? '';
}

function once<T>(look: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    let found = known.get(name);
    if (found === undefined) known.set(name, (found = look(name)));
    return found;
  };
}
