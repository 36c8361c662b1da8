import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../cluster/objects.ts';
import { planGateway } from '../isolate/plan.ts';
import type { PodReport } from '../isolate/serving.ts';
import type { IsolateSpec } from '../resources/function.ts';
import { FUNCTION as FUNCTION_KIND, GATEWAY } from '../resources/kinds.ts';
import { ANNOTATIONS, demandAddress } from '../resources/names.ts';
import { parseSpec } from '../resources/parse.ts';
import type { Action } from './actions.ts';
import { type ObservedGateway, reconcileGateway } from './reconcile-gateway.ts';
import { reconcileIsolate } from './reconcile-isolate.ts';

const NOW = Date.parse('2026-11-23T10:00:00Z');

function gatewayObject(spec: object, status: object = {}): KubeObject {
  const metadata = { name: 'shop', namespace: 'shop', uid: 'g-1', generation: 2 };
  return { apiVersion: 'mayfly.dev/v1alpha1', kind: 'MayflyGateway', metadata, spec, status };
}

function pod(name: string, ready: boolean, configuration?: string): KubeObject {
  const annotations = configuration === undefined ? {} : { [ANNOTATIONS.configuration]: configuration };
  const status = { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid: name, annotations },
    status,
  };
}

/** What is observed before anything was done. */
function observed(spec: object, more: Partial<ObservedGateway> = {}): ObservedGateway {
  const gateway = gatewayObject(spec);
  const parsed = parseSpec(GATEWAY, gateway);
  const nothing = () => undefined;
  const wish =
    'problem' in parsed
      ? parsed
      : {
          spec: parsed.spec,
          plan: planGateway({
            gateway,
            spec: parsed.spec,
            functions: [],
            demandAddress: demandAddress(),
            policy: nothing,
            rateLimit: nothing,
            verdict: () => null,
            compiled: () => null,
          }),
        };
  const rest = {
    find: nothing,
    pods: [],
    reports: new Map<string, PodReport>(),
    image: 'mayfly:1',
    since: NOW,
    hasRoutes: true,
  };
  return { gateway, wish, ...rest, ...more };
}

function hashOf({ wish }: ObservedGateway): string {
  assert.ok('plan' in wish);
  return wish.plan.hash;
}

/** The same after all that was to be done was done. */
function settled(before: ObservedGateway, deployment: object = {}): ObservedGateway {
  const objects = new Map<string, KubeObject>();
  for (const action of reconcileGateway(before, NOW))
    if (action.do === 'apply')
      objects.set(`${action.object.kind} ${action.object.metadata.name}`, action.object);
  const key = 'Deployment shop';
  objects.set(key, { ...(objects.get(key) as KubeObject), status: deployment });
  const after = { ...before, find: (kind: string, name: string) => objects.get(`${kind} ${name}`) };
  const said = reconcileGateway(after, NOW).find((action) => action.do === 'status');
  return { ...after, gateway: { ...before.gateway, status: said?.do === 'status' ? said.status : {} } };
}

function kinds(actions: readonly Action[]): string[] {
  return actions.map((action) => (action.do === 'apply' ? action.object.kind : action.do));
}

function conditions(actions: readonly Action[]): Record<string, string> {
  const found = actions.find((action) => action.do === 'status');
  const { conditions: all = [] } = (found?.do === 'status' ? found.status : {}) as {
    conditions?: { type: string; status: string; reason: string }[];
  };
  return Object.fromEntries(all.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}

test('a gateway is an account, a configuration, pods, an address and a budget; scaling is one more', () => {
  const plain = ['ServiceAccount', 'ConfigMap', 'Deployment', 'Service', 'PodDisruptionBudget'];
  assert.deepEqual(kinds(reconcileGateway(observed({}), NOW)), [...plain, 'status', 'event']);
  const scaled = kinds(reconcileGateway(observed({ scaling: {} }), NOW));
  assert.ok(scaled.includes('HorizontalPodAutoscaler'));
});

test('nothing is done when all is as it should be', () => {
  const answering = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
  const first = observed({});
  const hash = hashOf(first);
  const reports = new Map(['a', 'b'].map((name) => [name, { configuration: hash, refused: null }]));
  const pods = [pod('a', true), pod('b', true)];
  const status = { observedGeneration: 1, ...answering };
  assert.deepEqual(reconcileGateway(settled({ ...first, pods, reports }, status), NOW), []);
});

test('pods are told of a configuration, and asked until they serve it', () => {
  const first = observed({});
  const hash = hashOf(first);
  const old = { configuration: 'old', refused: null };
  const current = { configuration: hash, refused: null };
  for (const [what, found, report, expected] of [
    ['not told', pod('a', true), old, ['annotate', 'look-again']],
    ['told', pod('a', true, hash), old, ['look-again']],
    ['told, and silent', pod('a', true, hash), undefined, ['look-again']],
    ['serves it', pod('a', true, hash), current, []],
    ['began with it', pod('a', true), current, []],
    ['not ready, not told', pod('a', false), undefined, ['annotate']],
  ] as const) {
    const reports = new Map(report === undefined ? [] : [['a', report] as const]);
    const actions = reconcileGateway(settled({ ...first, pods: [found], reports }), NOW);
    assert.deepEqual(kinds(actions), expected, what);
  }
});

test('pods that answer with something else are told again, and again, and then left to their node', () => {
  const first = observed({});
  const hash = hashOf(first);
  const [old, refused] = [
    { configuration: 'old', refused: null },
    { configuration: 'old', refused: hash },
  ];
  for (const [what, found, waitedMs, report, expected] of [
    ['just told', pod('a', true, hash), 900, old, undefined],
    ['a second ago', pod('a', true, hash), 1000, old, `${hash} 2`],
    ['silent', pod('a', true, hash), 1000, undefined, `${hash} 2`],
    ['told twice', pod('a', true, `${hash} 2`), 3900, old, undefined],
    ['still not', pod('a', true, `${hash} 2`), 20_000, old, `${hash} 4`],
    ['for the last time', pod('a', true, `${hash} 4`), 900_000, old, undefined],
    ['another one since', pod('a', true, 'old 4'), 0, old, hash],
    ['cannot use it', pod('a', true, hash), 20_000, refused, undefined],
    ['not ready', pod('a', false, hash), 20_000, undefined, undefined],
    ['not ready, not told', pod('a', false), 20_000, undefined, hash],
  ] as const) {
    const reports = new Map(report === undefined ? [] : [['a', report] as const]);
    const before = settled({ ...first, pods: [found], reports });
    const actions = reconcileGateway({ ...before, since: NOW - waitedMs }, NOW);
    const told = actions.find((action) => action.do === 'annotate');
    assert.equal(
      told?.do === 'annotate' ? told.annotations[ANNOTATIONS.configuration] : undefined,
      expected,
      what,
    );
  }
});

test('it is asked less and less often', () => {
  const first = settled(observed({}, { pods: [pod('a', true)] }));
  for (const [waited, expected] of [
    [0, 200],
    [4000, 1000],
    [600_000, 10_000],
  ] as const) {
    const actions = reconcileGateway({ ...first, since: NOW - waited }, NOW);
    const again = actions.find((action) => action.do === 'look-again');
    assert.equal(again?.do === 'look-again' ? again.afterMs : 0, expected);
  }
});

test('conditions follow the pods and what they serve', () => {
  const first = observed({ replicas: 1 });
  const hash = hashOf(first);
  const up = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
  for (const [report, expected] of [
    [{ configuration: hash, refused: null }, ['True Answering', 'False Settled', 'False AsWished']],
    [{ configuration: 'old', refused: null }, ['True Answering', 'True Configuring', 'False AsWished']],
    [
      { configuration: 'old', refused: hash },
      ['True Answering', 'True Configuring', 'True ConfigurationRefused'],
    ],
  ] as const) {
    const seen = settled({ ...first, pods: [pod('a', true)], reports: new Map([['a', report]]) }, up);
    const found = conditions(reconcileGateway({ ...seen, gateway: first.gateway }, NOW));
    assert.deepEqual(Object.values(found), expected);
  }
});

test('what is not wanted any more is deleted; what somebody else has is left alone', () => {
  const scaled = settled(observed({ scaling: {} }));
  const { wish } = observed({});
  const actions = reconcileGateway({ ...scaled, wish }, NOW);
  assert.deepEqual(
    actions.flatMap((action) => (action.do === 'delete' ? action.object.kind : [])),
    ['HorizontalPodAutoscaler'],
  );
  const stranger = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'shop', namespace: 'shop', uid: 's' },
  };
  const taken = reconcileGateway(
    observed({}, { find: (kind) => (kind === 'Service' ? stranger : undefined) }),
    NOW,
  );
  assert.deepEqual(kinds(taken), ['status', 'event', 'look-again']);
  assert.equal(conditions(taken)['Degraded'], 'True NameTaken');
  assert.equal(
    conditions(reconcileGateway(observed({ cpuRequest: 'much' }), NOW))['Ready'],
    'False InvalidSpec',
  );
});

const IMAGE = `registry.example.com/shop/orders@sha256:${'a'.repeat(64)}`;
const SPEC = FUNCTION_KIND.spec.parse({ runtime: 'isolate', gateway: 'shop', image: IMAGE }) as IsolateSpec;
/** What does not matter to these. */
const PLAIN = { gateway: 'shop', spec: SPEC, seen: null, objects: [] };

const FUNCTION: KubeObject = {
  apiVersion: 'mayfly.dev/v1alpha1',
  kind: 'Function',
  metadata: { name: 'orders', namespace: 'shop', uid: 'f-1', generation: 3 },
};

test('a Function is ready when all pods that answer serve it, and stays so until it is another', () => {
  const at = (pods: number, current: number, refusing: string | null = null) => ({ pods, current, refusing });
  for (const [what, served, serving, expected] of [
    ['no pods', 'h', at(0, 0), 'False NoPods'],
    ['all serve it', undefined, at(2, 2), 'True Answering'],
    ['some serve it', undefined, at(2, 1), 'False RollingOut'],
    ['all served it once', 'h', at(2, 0), 'True Answering'],
    ['all served another', 'g', at(2, 1), 'False RollingOut'],
    ['one refuses it', undefined, at(2, 1, 'a'), 'False ConfigurationRefused'],
  ] as const) {
    const planned = { uid: 'f-1', generation: 3, outcome: { hash: 'h', candidate: null } };
    const object = { ...FUNCTION, status: served === undefined ? {} : { served } };
    const actions = reconcileIsolate(
      { ...PLAIN, function: object, place: { planned, serving, configuration: 'c' } },
      NOW,
    );
    assert.equal(conditions(actions)['Ready'], expected, what);
  }
});

test('nothing is said of a Function that its gateway has not looked at', () => {
  const serving = { pods: 1, current: 1, refusing: null };
  const planned = { uid: 'f-1', generation: 2, outcome: { hash: 'h', candidate: null } };
  for (const place of [null, { planned, serving, configuration: 'c' }])
    assert.deepEqual(reconcileIsolate({ ...PLAIN, function: FUNCTION, place }, NOW), []);
});

const ROUTE = { parentRefs: [{ name: 'edge' }], hostnames: ['shop.example.com'] };

test('a route of the Gateway API leads to the Service, on the port that it has', () => {
  const actions = reconcileGateway(observed({ httpRoute: ROUTE, service: { port: 8000 } }), NOW);
  const route = actions.find((action) => action.do === 'apply' && action.object.kind === 'HTTPRoute');
  assert.partialDeepStrictEqual(route, {
    object: {
      metadata: { name: 'shop', namespace: 'shop' },
      spec: {
        parentRefs: [{ name: 'edge' }],
        hostnames: ['shop.example.com'],
        rules: [
          {
            matches: [{ path: { type: 'PathPrefix', value: '/' } }],
            backendRefs: [{ name: 'shop', port: 8000 }],
          },
        ],
      },
    },
  });
});

test('without the Gateway API such a gateway is not begun, and says so', () => {
  const actions = reconcileGateway(observed({ httpRoute: ROUTE }, { hasRoutes: false }), NOW);
  assert.ok(actions.every((action) => action.do !== 'apply'));
  const said = actions.find((action) => action.do === 'status');
  assert.match(JSON.stringify(said), /"reason":"GatewayApiMissing"/);
});
