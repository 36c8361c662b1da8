/** Gateways: what their pods should serve, and what they do serve. */
import { keyOf, type KubeObject } from '../cluster/objects.ts';
import {
  GATEWAYS,
  HTTP_ROUTES,
  OWNED_BY_GATEWAYS,
  PODS,
  POLICIES,
  RATE_LIMITS,
} from '../cluster/resources.ts';
import { type GatewayPlan, planGateway } from '../isolate/plan.ts';
import { isReady, type PodReport, type Serving, servingOf } from '../isolate/serving.ts';
import type { Action } from '../reconcile/actions.ts';
import type { Obstacle } from '../reconcile/function-status.ts';
import type { Place } from '../reconcile/place.ts';
import { type ObservedGateway, reconcileGateway } from '../reconcile/reconcile-gateway.ts';
import { GATEWAY } from '../resources/kinds.ts';
import { statusOf } from '../rollout/pod-rollout.ts';
import { parseSpec } from '../resources/parse.ts';
import { functionsOf, gatewayKey, podsOf } from './gateway-members.ts';
import type { Change, Find, Keeper, Known } from './keeper.ts';
import { ownersOf } from './owners.ts';
import type { PolicyBook } from './policy-book.ts';
import type { Time } from './time.ts';

/** Asks a pod what it serves; null: it does not say. */
export type AskPod = (pod: KubeObject, signal: AbortSignal) => Promise<PodReport | null>;

export interface GatewayKeeperOptions {
  readonly time: Time;
  readonly policies: PolicyBook;
  readonly ask: AskPod;
  /** Of pods whose gateway names none. */
  readonly image: string;
  /** Where pods tell how many requests Functions with pods of their own have. */
  readonly demandAddress: string;
  /** A Function is served otherwise than before. */
  onNews(functionKey: string): void;
}

type Wish = ObservedGateway['wish'];

interface Gateway {
  readonly uid: string | undefined;
  readonly wish: Wish;
  readonly serving: Serving | null;
  /** Since when this configuration is wished for. */
  readonly since: number;
}

export class GatewayKeeper implements Keeper {
  readonly resource = GATEWAYS;
  readonly #options: GatewayKeeperOptions;
  readonly #gateways = new Map<string, Gateway>();
  /** By uid of the pod. */
  readonly #reports = new Map<string, PodReport>();

  constructor(options: GatewayKeeperOptions) {
    this.#options = options;
  }

  *concerned(change: Change, known: Known): Iterable<string> {
    const { before, after } = change;
    if (before?.kind === PODS.kind && after === undefined) this.#reports.delete(before.metadata.uid ?? '');
    yield* ownersOf(change, GATEWAYS, [...OWNED_BY_GATEWAYS, PODS]);
    // What is said of a thousand Functions must not make a thousand plans.
    if (!isOtherwiseWished(change)) return;
    for (const object of [before, after]) {
      if (object === undefined) continue;
      const named = gatewayKey(object);
      if (named !== null) yield named;
      if (object.kind !== POLICIES.kind && object.kind !== RATE_LIMITS.kind) continue;
      for (const gateway of known.all(GATEWAYS.kind, object.metadata.namespace ?? '')) yield keyOf(gateway);
    }
  }

  async prepare(object: KubeObject, known: Known, signal: AbortSignal): Promise<void> {
    const { namespace = '' } = object.metadata;
    // As they are now: what changes while they are compiled is looked at next time.
    const policies = known.all(POLICIES.kind, namespace);
    await this.#options.policies.learn(policies);
    let wish = this.#wish(object, policies, known);
    if ('plan' in wish && wish.plan.rules !== null && (await this.#options.policies.compile(wish.plan.rules)))
      wish = this.#wish(object, policies, known);
    const key = keyOf(object);
    const before = this.#gateways.get(key);
    const { uid } = object.metadata;
    const since = isSamePlan(before?.wish, wish) ? (before?.since ?? 0) : this.#options.time.now();
    const serving = before?.serving ?? null;
    this.#gateways.set(key, { uid, wish, since, serving });
    if ('plan' in wish) await this.#askPods(object, wish.plan, known, signal);
    this.#tell(key, before, known);
  }

  decide(object: KubeObject, find: Find, known: Known): Action[] {
    const { image, time } = this.#options;
    const gateway = this.#gateways.get(keyOf(object));
    if (gateway === undefined) return [];
    const { wish, since } = gateway;
    const pods = podsOf(object, known);
    const hasRoutes = known.serves(HTTP_ROUTES);
    const observed = { gateway: object, wish, find, pods, reports: this.#reports, image, since, hasRoutes };
    return reconcileGateway(observed, time.now());
  }

  forget(key: string): void {
    this.#gateways.delete(key);
  }

  /** For a Function that names a gateway. */
  placeOf(object: KubeObject, gateway: string, known: Known): Place {
    const key = gatewayKey(object) ?? '';
    const there = known.get(GATEWAYS.kind, key);
    if (there === undefined || there.metadata.deletionTimestamp !== undefined) return missing(gateway);
    const seen = this.#gateways.get(key);
    if (seen === undefined || seen.uid !== there.metadata.uid) return null;
    if ('problem' in seen.wish) {
      const message = `MayflyGateway ${gateway} cannot be used: ${seen.wish.problem}`;
      return { reason: 'GatewayInvalid', message };
    }
    const { functions, hash: configuration } = seen.wish.plan;
    const planned = functions.get(object.metadata.name);
    const { serving } = seen;
    return planned === undefined || serving === null ? null : { planned, serving, configuration };
  }

  #wish(object: KubeObject, policies: readonly KubeObject[], known: Known): Wish {
    const parsed = parseSpec(GATEWAY, object);
    if ('problem' in parsed) return parsed;
    const { spec } = parsed;
    const { namespace = '' } = object.metadata;
    const byName = new Map(policies.map((policy) => [policy.metadata.name, policy]));
    const plan = planGateway({
      gateway: object,
      spec,
      functions: functionsOf(object, known),
      demandAddress: this.#options.demandAddress,
      policy: (name) => byName.get(name),
      rateLimit: (name) => known.get(RATE_LIMITS.kind, `${namespace}/${name}`),
      verdict: (policy) => this.#options.policies.verdict(policy),
      compiled: (rules) => this.#options.policies.compiled(rules),
    });
    return { spec, plan };
  }

  /** Those that are not known to serve the plan. */
  async #askPods(object: KubeObject, plan: GatewayPlan, known: Known, signal: AbortSignal): Promise<void> {
    const pods = podsOf(object, known).filter(isReady);
    const open = pods.filter(
      ({ metadata }) => this.#reports.get(metadata.uid ?? '')?.configuration !== plan.hash,
    );
    await Promise.all(
      open.map(async (pod) => {
        const report = await this.#options.ask(pod, signal);
        if (report !== null) this.#reports.set(pod.metadata.uid ?? '', report);
      }),
    );
  }

  /** Functions whose place or whose pods are not what they were. */
  #tell(key: string, before: Gateway | undefined, known: Known): void {
    const gateway = this.#gateways.get(key) as Gateway;
    const object = known.get(GATEWAYS.kind, key);
    if (object === undefined) return;
    const plan = 'plan' in gateway.wish ? gateway.wish.plan : null;
    const serving =
      plan === null
        ? null
        : servingOf({ pods: podsOf(object, known), reports: this.#reports, hash: plan.hash });
    this.#gateways.set(key, { ...gateway, serving });
    const old = before !== undefined && 'plan' in before.wish ? before.wish.plan : null;
    const everyone =
      before === undefined ||
      problemOf(before.wish) !== problemOf(gateway.wish) ||
      !isSame(serving, before.serving);
    for (const item of functionsOf(object, known)) {
      const [then, now] = [old, plan].map((each) => each?.functions.get(item.metadata.name));
      if (everyone || !isSame(then, now)) this.#options.onNews(keyOf(item));
    }
  }
}

/** More than its conditions or its notes is new. Where a rollout stands is in the status, and says who gets what. */
function isOtherwiseWished({ before, after }: Change): boolean {
  if (before === undefined || after === undefined) return true;
  const [old, now] = [before.metadata, after.metadata];
  return (
    old.uid !== now.uid ||
    old.generation !== now.generation ||
    old.deletionTimestamp !== now.deletionTimestamp ||
    !isSame(statusOf(before), statusOf(after))
  );
}

function missing(gateway: string): Obstacle {
  const message = `There is no MayflyGateway ${gateway} in this namespace. Create it.`;
  return { reason: 'GatewayMissing', message };
}

function problemOf(wish: Wish): string | null {
  return 'problem' in wish ? wish.problem : null;
}

function isSamePlan(a: Wish | undefined, b: Wish): boolean {
  return a !== undefined && 'plan' in a && 'plan' in b && a.plan.hash === b.plan.hash;
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
