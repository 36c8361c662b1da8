/** From what is in the cluster to what has to be done for one MayflyGateway. Pure: time is an argument. */
import type { KubeObject } from '../cluster/objects.ts';
import { withRoute } from '../edge/route-status.ts';
import { FILE_MAPS } from '../isolate/files.ts';
import { gatewayObjects } from '../isolate/gateway-objects.ts';
import { filesName } from '../isolate/places.ts';
import type { GatewayPlan } from '../isolate/plan.ts';
import { isReady, isSettled, type PodReport, reportOf, type Serving, servingOf } from '../isolate/serving.ts';
import type { GatewaySpec } from '../resources/gateway.ts';
import { ANNOTATIONS } from '../resources/names.ts';
import { ownerOf } from '../resources/owned.ts';
import { HTTP_ROUTES, OWNED_BY_GATEWAYS } from '../cluster/resources.ts';
import type { Finding } from '../resources/status.ts';
import type { Action } from './actions.ts';
import { stamped } from './drift.ts';
import { assess, GATEWAY_API_MISSING, type Obstacle, podNumbers } from './function-status.ts';
import { applyWhereNeeded, deleteUnwanted, isOwnedBy } from './ownership.ts';
import { report } from './report.ts';
import { wantedPods } from './wanted-pods.ts';

const LOOK_AGAIN_MS = 10_000;
/** How soon pods that should serve something new are asked again: at once, then less and less often. */
const ASK_AGAIN = { first: 200, most: 10_000 };
/** When pods that still serve something else are told again, since the configuration is wished for. */
const TELL_AGAIN_MS = [1000, 4000, 16_000];

export interface ObservedGateway {
  readonly gateway: KubeObject;
  /** Its spec and what follows from it; or what is wrong with it. */
  readonly wish: { readonly spec: GatewaySpec; readonly plan: GatewayPlan } | { readonly problem: string };
  /** What bears a name that is the gateway's, whoever made it. */
  find(kind: string, name: string): KubeObject | undefined;
  readonly pods: readonly KubeObject[];
  readonly reports: ReadonlyMap<string, PodReport>;
  /** Of pods whose gateway names none. */
  readonly image: string;
  /** Since when this configuration is wished for. */
  readonly since: number;
  /** Whether the cluster has the Gateway API. */
  readonly hasRoutes: boolean;
}

export function reconcileGateway(observed: ObservedGateway, now: number): Action[] {
  const { gateway, wish, image } = observed;
  if (gateway.metadata.deletionTimestamp !== undefined) return [];
  if ('problem' in wish) return halted(observed, { reason: 'InvalidSpec', message: wish.problem }, now);
  const { spec, plan } = wish;
  if (spec.httpRoute !== undefined && !observed.hasRoutes) return halted(observed, GATEWAY_API_MISSING, now);
  const owner = ownerOf(gateway);
  const pods = wantedPods(spec);
  const wanted = gatewayObjects({ owner, spec, plan, pods, image: spec.image ?? image }).map(stamped);
  const taken = wanted.find((item) => {
    const found = observed.find(item.kind, item.metadata.name);
    return found !== undefined && !isOwnedBy(found, owner);
  });
  if (taken !== undefined) {
    const message = `There is a ${taken.kind} called ${taken.metadata.name} already, which is not the gateway's. Rename one of the two.`;
    const again: Action = { do: 'look-again', afterMs: LOOK_AGAIN_MS };
    return [...halted(observed, { reason: 'NameTaken', message }, now), again];
  }
  const serving = servingOf({ ...observed, hash: plan.hash });
  return [
    ...wanted.flatMap((item) => applyWhereNeeded(item, observed.find(item.kind, item.metadata.name))),
    ...deleteUnwanted(present(observed), wanted, owner),
    ...announce(observed, plan.hash, now),
    ...said(observed, { pods, plan, serving }, now),
    ...(needsAsking(observed, plan.hash) ? [askAgain(observed, now)] : []),
  ];
}

/**
 * A node looks at a pod's ConfigMaps when the pod changes, and else about once a minute. It may see the pod's change before that
 * of the ConfigMap: pods that answer and still serve something else are told again.
 */
function announce({ pods, reports, since }: ObservedGateway, hash: string, now: number): Action[] {
  const often = 1 + TELL_AGAIN_MS.filter((afterMs) => now - since >= afterMs).length;
  return pods
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .filter((pod) => {
      const said = reportOf(pod, reports);
      return said?.configuration !== hash && said?.refused !== hash;
    })
    .flatMap((object): Action[] => {
      const times = isReady(object) ? often : 1;
      if (toldTimes(object, hash) >= times) return [];
      const told = times === 1 ? hash : `${hash} ${times}`;
      return [{ do: 'annotate', object, annotations: { [ANNOTATIONS.configuration]: told } }];
    });
}

function toldTimes({ metadata }: KubeObject, hash: string): number {
  const [told, times = '1'] = (metadata.annotations?.[ANNOTATIONS.configuration] ?? '').split(' ');
  return told === hash ? Number(times) : 0;
}

/** Pods that answer to somebody and are not known to serve the configuration. */
function needsAsking({ pods, reports }: ObservedGateway, hash: string): boolean {
  const { pods: answering, current } = servingOf({ pods, reports, hash });
  return current < answering;
}

function askAgain({ since }: ObservedGateway, now: number): Action {
  const afterMs = Math.min(Math.max((now - since) / 4, ASK_AGAIN.first), ASK_AGAIN.most);
  return { do: 'look-again', afterMs: Math.round(afterMs) };
}

function present({ gateway, find }: ObservedGateway): KubeObject[] {
  const { name } = gateway.metadata;
  const maps = Array.from({ length: FILE_MAPS }, (_, index) => find('ConfigMap', filesName(name, index)));
  const others = OWNED_BY_GATEWAYS.map(({ kind }) => find(kind, name));
  return [...maps, ...others].filter((object) => object !== undefined);
}

function ownDeployment({ gateway, find }: ObservedGateway): KubeObject | undefined {
  const found = find('Deployment', gateway.metadata.name);
  return found !== undefined && isOwnedBy(found, ownerOf(gateway)) ? found : undefined;
}

function halted(observed: ObservedGateway, obstacle: Obstacle, now: number): Action[] {
  const { gateway } = observed;
  const deployment = ownDeployment(observed);
  return report(gateway, assess(deployment, obstacle), podNumbers(gateway, deployment), now);
}

interface Outcome {
  readonly pods: number;
  readonly plan: GatewayPlan;
  readonly serving: Serving;
}

function said(observed: ObservedGateway, { pods, plan, serving }: Outcome, now: number): Action[] {
  const { gateway } = observed;
  const deployment = ownDeployment(observed);
  const functions = [...plan.functions.values()].filter(({ outcome }) => 'hash' in outcome).length;
  const numbers = {
    ...podNumbers(gateway, deployment),
    currentReplicas: serving.current,
    functions,
    configuration: plan.hash,
  };
  const route = observed.find(HTTP_ROUTES.kind, gateway.metadata.name);
  const findings = withRoute(
    assess(deployment, pods).map((finding) => withServing(finding, serving)),
    route,
  );
  return report(gateway, findings, numbers, now);
}

/** A rollout is over when the pods are there and serve what they should. */
function withServing(finding: Finding, serving: Serving): Finding {
  const { type, reason } = finding;
  if (type === 'Degraded' && reason === 'AsWished' && serving.refusing !== null) {
    const message = `Pod ${serving.refusing} cannot use the configuration and serves an earlier one. Its log says why.`;
    return { type, status: 'True', reason: 'ConfigurationRefused', message };
  }
  if (type === 'Progressing' && reason === 'Settled' && serving.pods > 0 && !isSettled(serving)) {
    const message = `${serving.current} of ${serving.pods} pods serve the configuration`;
    return { type, status: 'True', reason: 'Configuring', message };
  }
  return finding;
}
