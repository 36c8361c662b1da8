/**
 * What the pods of a gateway should serve: their `mayfly.yaml` and the files beside it; and which Functions are not in it, and
 * why. Pure, and the same for the same objects, in whatever order they are given.
 */
import { createHash } from 'node:crypto';
import { keyOf, type KubeObject } from '../cluster/objects.ts';
import { hasGateway, NONE } from '../resources/function.ts';
import type { GatewaySpec } from '../resources/gateway.ts';
import { FUNCTION } from '../resources/kinds.ts';
import { statusOf } from '../rollout/pod-rollout.ts';
import { parseSpec } from '../resources/parse.ts';
import { ownerOf } from '../resources/owned.ts';
import type { SecretKey } from '../resources/words.ts';
import { configurationText, usedPolicies } from './configuration-text.ts';
import { entryChecker } from './entry-check.ts';
import { hashOf, type PlacedFile, Shelf } from './files.ts';
import { type FunctionPart, functionPart, type Obstacle } from './function-part.ts';
import { gatewayPart } from './gateway-part.ts';
import { type Found, type GatewayRules, namedSettings } from './named-settings.ts';
import { RouteBook } from './route-book.ts';

/** All of it from one namespace. */
export interface PlanInputs extends Found {
  readonly gateway: KubeObject;
  readonly spec: GatewaySpec;
  /** Those that name the gateway. */
  readonly functions: readonly KubeObject[];
  /** Where the pods tell how many requests functions with pods of their own have. */
  readonly demandAddress: string;
}

export interface GatewayPlan {
  readonly configuration: string;
  /** SHA-256 of `configuration`, hexadecimal, as the pods tell it; the names of files in it stand for what is in them. */
  readonly hash: string;
  /** By the number of their ConfigMap. */
  readonly files: readonly (readonly PlacedFile[])[];
  readonly secrets: readonly SecretKey[];
  /** Hash of what pods read once, when they start. */
  readonly start: string;
  /** Null: no route asks any. */
  readonly rules: GatewayRules | null;
  /** By name. */
  readonly functions: ReadonlyMap<string, PlannedFunction>;
}

export interface PlannedFunction {
  readonly uid: string | undefined;
  readonly generation: number | undefined;
  /** Hash of all that is the function's in the plan, and the image that is tried beside another one; or why it is not in it. */
  readonly outcome: { readonly hash: string; readonly candidate: string | null } | Obstacle;
}

/** What a ConfigMap takes, with room for the gateway's own sections. */
const MOST_BYTES = 960 * 1024;

export function planGateway(inputs: PlanInputs): GatewayPlan {
  const { gateway, spec } = inputs;
  const { namespace = 'default' } = gateway.metadata;
  const own = gatewayPart(ownerOf(gateway), spec, inputs.demandAddress);
  const shelf = new Shelf();
  shelf.place(own.files);
  const settings = namedSettings(inputs);
  const defaultPolicy = spec.policy.name ?? NONE;
  const check = entryChecker(own.sections);
  const routes = new RouteBook();
  const parts = new Map<string, FunctionPart>();
  let bytes = 0;

  /** Takes a Function in, or says why not. */
  const admit = (object: KubeObject): PlannedFunction['outcome'] => {
    const { name } = object.metadata;
    const parsed = parseSpec(FUNCTION, object);
    if ('problem' in parsed) return { reason: 'InvalidSpec', message: parsed.problem };
    if (!hasGateway(parsed.spec)) return { reason: 'InvalidSpec', message: 'It names no gateway.' };
    const part = functionPart({
      namespace,
      name,
      spec: parsed.spec,
      settings,
      defaultPolicy,
      rollout: statusOf(object),
    });
    if ('reason' in part) return part;
    const obstacle = check(name, part) ?? routes.conflict(name, part.routes);
    if (obstacle !== null) return obstacle;
    const size = Buffer.byteLength(JSON.stringify(part.entry)) + name.length;
    if (bytes + size > MOST_BYTES || !shelf.place(part.files)) return noRoom(gateway);
    bytes += size;
    routes.add(name, part.routes);
    parts.set(name, part);
    const { entry, files, candidate } = part;
    return { hash: hashOf(JSON.stringify([entry, files.map((file) => file.name)])), candidate };
  };

  // Who came first keeps what two want.
  const functions = inputs.functions.toSorted(byAge).map((object): [string, PlannedFunction] => {
    const { name, uid, generation } = object.metadata;
    return [name, { uid, generation, outcome: admit(object) }];
  });
  const rules = rulesOf(parts);
  const compiled = rules === null ? null : inputs.compiled(rules);
  // Where it does not fit, pods compile.
  if (compiled !== null) shelf.place([compiled]);
  const configuration = configurationText(keyOf(gateway), own.sections, parts);
  return {
    configuration,
    hash: createHash('sha256').update(configuration).digest('hex'),
    files: shelf.maps,
    secrets: [...own.secrets, ...[...parts.values()].flatMap(({ secrets }) => secrets)],
    start: own.start,
    rules,
    functions: new Map(functions),
  };
}

function rulesOf(parts: ReadonlyMap<string, FunctionPart>): GatewayRules | null {
  const used = usedPolicies(parts);
  if (used.length === 0) return null;
  const names = new Set(used.map(({ file }) => file));
  const placed = [...parts.values()].flatMap(({ files }) => files).filter(({ name }) => names.has(name));
  const texts = placed.map(({ name, content }) => [name, 'text' in content ? content.text : '']);
  return {
    files: Object.fromEntries(texts.toSorted()) as Record<string, string>,
    rules: [...new Set(used.map(({ rule }) => rule))].toSorted(),
  };
}

function noRoom({ metadata }: KubeObject): Obstacle {
  const message = `Gateway ${metadata.name} has no room left for what Functions and Policies bring along. Push modules to a registry, or use another gateway.`;
  return { reason: 'NoRoom', message };
}

function byAge({ metadata: a }: KubeObject, { metadata: b }: KubeObject): number {
  const [older, younger] = [a.creationTimestamp ?? '', b.creationTimestamp ?? ''];
  if (older !== younger) return older < younger ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
