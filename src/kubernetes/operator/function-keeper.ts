/** Functions, with pods of their own or within a gateway's. */
import { keyOf, type KubeObject } from '../cluster/objects.ts';
import { DEPLOYMENTS, FUNCTIONS, GATEWAYS, OWNED } from '../cluster/resources.ts';
import type { Action } from '../reconcile/actions.ts';
import { reconcileFunction } from '../reconcile/reconcile-function.ts';
import { reconcileIsolate } from '../reconcile/reconcile-isolate.ts';
import { canaryName } from '../rollout/canary-deployment.ts';
import { isIsolate } from '../resources/function.ts';
import { FUNCTION } from '../resources/kinds.ts';
import { parseSpec } from '../resources/parse.ts';
import type { GatewayKeeper } from './gateway-keeper.ts';
import { functionsOf } from './gateway-members.ts';
import type { Change, Find, Keeper, Known } from './keeper.ts';
import { ownersOf } from './owners.ts';
import type { RolloutWatch } from './rollout-watch.ts';
import type { Time } from './time.ts';

export class FunctionKeeper implements Keeper {
  readonly resource = FUNCTIONS;
  readonly #gateways: GatewayKeeper;
  readonly #rollouts: RolloutWatch;
  readonly #time: Time;
  readonly #scalerAddress: string | undefined;

  constructor(gateways: GatewayKeeper, rollouts: RolloutWatch, time: Time, scalerAddress?: string) {
    this.#gateways = gateways;
    this.#rollouts = rollouts;
    this.#time = time;
    this.#scalerAddress = scalerAddress;
  }

  *concerned(change: Change, known: Known): Iterable<string> {
    yield* ownersOf(change, FUNCTIONS, OWNED);
    const { before, after } = change;
    // A gateway that came or went; of what becomes of it meanwhile its keeper tells.
    const gateway = after ?? before;
    if (gateway?.kind !== GATEWAYS.kind || before?.metadata.uid === after?.metadata.uid) return;
    for (const object of functionsOf(gateway, known)) yield keyOf(object);
  }

  prepare(object: KubeObject, known: Known, signal: AbortSignal): Promise<void> {
    return this.#rollouts.look(object, known, signal);
  }

  forget(key: string): void {
    this.#rollouts.forget(key);
  }

  decide(object: KubeObject, find: Find, known: Known): Action[] {
    const own = object.metadata.name;
    const found = OWNED.map(({ kind }) => [kind, find(kind, own)] as const);
    const objects = Object.fromEntries(found.filter(([, there]) => there !== undefined)) as Record<
      string,
      KubeObject
    >;
    const parsed = parseSpec(FUNCTION, object);
    const spec = 'spec' in parsed ? parsed.spec : undefined;
    if (spec !== undefined && isIsolate(spec)) {
      const place = this.#gateways.placeOf(object, spec.gateway, known);
      const seen = this.#rollouts.seen(object);
      const { gateway } = spec;
      return reconcileIsolate(
        { function: object, gateway, place, objects: Object.values(objects), spec, seen },
        this.#time.now(),
      );
    }
    const served = OWNED.filter((resource) => known.serves(resource));
    const canary = find(DEPLOYMENTS.kind, canaryName(own));
    const name = spec?.gateway;
    const gateway =
      name === undefined ? undefined : { name, place: this.#gateways.placeOf(object, name, known) };
    const scalerAddress = this.#scalerAddress;
    const observed = { function: object, objects, canary, served, scalerAddress, gateway };
    return reconcileFunction(observed, this.#time.now());
  }
}
