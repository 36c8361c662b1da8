import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../cluster/objects.ts';
import { HTTP_ROUTES, OWNED, SCALED_OBJECTS } from '../cluster/resources.ts';
import type { Condition } from '../resources/status.ts';
import type { Action } from './actions.ts';
import { reconcileFunction } from './reconcile-function.ts';

const NOW = Date.parse('2026-11-23T10:00:00Z');
const IMAGE = `registry.example.com/shop/orders@sha256:${'a'.repeat(64)}`;

function functionObject(spec: object, more: Partial<KubeObject> = {}): KubeObject {
  return {
    apiVersion: 'mayfly.dev/v1alpha1',
    kind: 'Function',
    metadata: { name: 'orders', namespace: 'shop', uid: 'f-1', generation: 3 },
    spec: { runtime: 'wasmedge', image: IMAGE, ...spec },
    ...more,
  };
}

function reconcile(object: KubeObject, objects: Record<string, KubeObject> = {}, served = OWNED): Action[] {
  return reconcileFunction({ function: object, objects, served: [...served] }, NOW);
}

function applied(actions: readonly Action[], kind: string): KubeObject | undefined {
  for (const action of actions)
    if (action.do === 'apply' && action.object.kind === kind) return action.object;
  return undefined;
}

interface DeploymentSpec {
  replicas: number;
  template: {
    metadata: { labels: Record<string, string> };
    spec: { runtimeClassName: string; containers: Record<string, unknown>[] };
  };
}

function deploymentSpec(actions: readonly Action[]): DeploymentSpec {
  const object = applied(actions, 'Deployment');
  assert.ok(object !== undefined);
  return object['spec'] as DeploymentSpec;
}

/** What there is after the actions of a first reconcile. */
function settled(
  spec: object,
  status: object = {},
): { object: KubeObject; objects: Record<string, KubeObject> } {
  const object = functionObject(spec);
  const objects: Record<string, KubeObject> = {};
  for (const action of reconcile(object)) {
    if (action.do === 'apply') objects[action.object.kind] = { ...action.object, status };
  }
  const last = reconcile(object, objects).find((action) => action.do === 'status');
  return { object: { ...object, status: last?.do === 'status' ? last.status : {} }, objects };
}

function conditions(actions: readonly Action[]): Record<string, string> {
  const found = actions.find((action) => action.do === 'status');
  const status = (found?.do === 'status' ? found.status : {}) as {
    conditions?: { type: string; status: string; reason: string }[];
  };
  return Object.fromEntries(
    (status.conditions ?? []).map((item) => [item.type, `${item.status} ${item.reason}`]),
  );
}

test("the Deployment is the shop's", () => {
  const { replicas, template } = deploymentSpec(reconcile(functionObject({ replicas: 2 })));
  const [container] = template.spec.containers;
  assert.equal(replicas, 2);
  assert.equal(template.spec.runtimeClassName, 'wasmedge');
  assert.deepEqual(container?.['resources'], {
    requests: { cpu: '10m', memory: '32Mi' },
    limits: { cpu: '100m', memory: '64Mi' },
  });
  assert.deepEqual(container?.['env'], [
    { name: 'LOG_LEVEL', value: 'info' },
    { name: 'PORT', value: '8080' },
  ]);
  assert.deepEqual(container?.['ports'], [{ name: 'http', containerPort: 8080 }]);
  assert.partialDeepStrictEqual(container, {
    image: IMAGE,
    livenessProbe: { httpGet: { path: '/health', port: 'http' } },
    readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
  });
});

test('the Service leads from 80 to the port of the pods, and outside when asked', () => {
  for (const [spec, type] of [
    [{}, 'ClusterIP'],
    [{ service: { type: 'LoadBalancer' } }, 'LoadBalancer'],
  ] as const) {
    assert.partialDeepStrictEqual(applied(reconcile(functionObject(spec)), 'Service')?.['spec'], {
      type,
      ports: [{ port: 80, targetPort: 'http' }],
    });
  }
});

test("the autoscaler is the shop's, and scales the Function", () => {
  const hpa = applied(reconcile(functionObject({ scaling: {} })), 'HorizontalPodAutoscaler');
  assert.partialDeepStrictEqual(hpa?.['spec'], {
    scaleTargetRef: { apiVersion: 'mayfly.dev/v1alpha1', kind: 'Function', name: 'orders' },
    minReplicas: 10,
    maxReplicas: 5000,
    metrics: [
      { resource: { name: 'cpu', target: { averageUtilization: 70 } } },
      { resource: { name: 'memory', target: { averageUtilization: 80 } } },
    ],
    behavior: {
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Percent', value: 100, periodSeconds: 30 },
          { type: 'Pods', value: 100, periodSeconds: 30 },
        ],
      },
      scaleDown: {
        stabilizationWindowSeconds: 60,
        policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
      },
    },
  });
});

test('how many pods there are', () => {
  for (const [spec, pods] of [
    [{}, 1],
    [{ replicas: 7 }, 7],
    [{ replicas: 1, scaling: {} }, 10],
    [{ replicas: 60, scaling: { maxReplicas: 50 } }, 50],
    [{ replicas: 20, scaling: {} }, 20],
    [{ replicas: 0, scaling: {} }, 0],
  ] as const) {
    const { replicas } = deploymentSpec(reconcile(functionObject(spec)));
    assert.equal(replicas, pods, JSON.stringify(spec));
  }
});

const PROMETHEUS = { serverAddress: 'http://prometheus:9090', query: 'sum(rate(x[1m]))', threshold: 50 };

test('a query takes KEDA in place of the HPA, down to no pods', () => {
  const spec = { scaling: { minReplicas: 0, prometheus: PROMETHEUS } };
  const before = settled({ scaling: {} });
  const object = functionObject(spec);
  const actions = reconcile(object, before.objects);
  assert.partialDeepStrictEqual(applied(actions, 'ScaledObject')?.['spec'], {
    minReplicaCount: 0,
    maxReplicaCount: 5000,
    triggers: [{ type: 'prometheus', metadata: { threshold: '50' } }],
  });
  assert.deepEqual(
    actions.flatMap((action) => (action.do === 'delete' ? action.object.kind : [])),
    ['HorizontalPodAutoscaler'],
  );
});

test('without KEDA such a function is not begun, and says so', () => {
  const object = functionObject({ scaling: { prometheus: PROMETHEUS } });
  const actions = reconcile(object, {}, OWNED.filter((kind) => kind !== SCALED_OBJECTS) as never);
  assert.deepEqual(
    actions.map((action) => action.do),
    ['status', 'event'],
  );
  assert.equal(conditions(actions)['Ready'], 'False KedaMissing');
});

const ROUTE = { parentRefs: [{ name: 'edge', sectionName: 'web' }], path: '/orders' };

test('a route of the Gateway API comes and goes with the spec', () => {
  const { object, objects } = settled({ httpRoute: ROUTE });
  assert.partialDeepStrictEqual(objects['HTTPRoute']?.['spec'], {
    parentRefs: [{ name: 'edge', sectionName: 'web' }],
    rules: [{ matches: [{ path: { value: '/orders' } }], backendRefs: [{ name: 'orders', port: 80 }] }],
  });
  assert.deepEqual(reconcile(object, objects), []);
  const deleted = reconcile(functionObject({}), objects).filter((action) => action.do === 'delete');
  assert.deepEqual(
    deleted.map((action) => action.object.kind),
    ['HTTPRoute'],
  );
});

test('a route that a Gateway refuses is told with its reason', () => {
  const { object, objects } = settled({ httpRoute: ROUTE });
  const refusal = {
    type: 'Accepted',
    status: 'False',
    reason: 'NotAllowedByListeners',
    message: 'No such host',
  };
  const status = {
    parents: [
      { parentRef: { name: 'other' }, conditions: [{ ...refusal, status: 'True' }] },
      { parentRef: { name: 'edge' }, conditions: [{ type: 'ResolvedRefs', status: 'True' }, refusal] },
    ],
  };
  const route = { ...(objects['HTTPRoute'] as KubeObject), status };
  const actions = reconcile(object, { ...objects, HTTPRoute: route });
  assert.equal(conditions(actions)['Degraded'], 'True RouteRefused');
  assert.match(JSON.stringify(actions), /Gateway edge does not take the route: No such host/);
});

test('without the Gateway API a Function with a route is not begun, and says so', () => {
  const actions = reconcile(
    functionObject({ httpRoute: ROUTE }),
    {},
    OWNED.filter((kind) => kind !== HTTP_ROUTES) as never,
  );
  assert.equal(conditions(actions)['Ready'], 'False GatewayApiMissing');
});

test('nothing is done when all is as it should be', () => {
  const status = {
    observedGeneration: 1,
    replicas: 2,
    updatedReplicas: 2,
    readyReplicas: 2,
    availableReplicas: 2,
  };
  const { object, objects } = settled({ replicas: 2, scaling: { minReplicas: 2 } }, status);
  assert.deepEqual(reconcile(object, objects), []);
});

test('what others changed of ours is put back; what they added stays', () => {
  const { object, objects } = settled({ replicas: 2 });
  const deployment = objects['Deployment'] as KubeObject;
  const spec = structuredClone(deployment['spec']) as DeploymentSpec;
  spec.template.metadata.labels['team'] = 'checkout';
  const others = { ...objects, Deployment: { ...deployment, spec } };
  assert.equal(applied(reconcile(object, others), 'Deployment'), undefined);
  spec.replicas = 9;
  assert.deepEqual(deploymentSpec(reconcile(object, others)), deployment['spec']);
});

test('a field that is not wanted any more is applied away', () => {
  const { objects } = settled({ env: { GREETING: 'hello' } });
  const actions = reconcile(functionObject({}), objects);
  assert.notEqual(applied(actions, 'Deployment'), undefined);
  assert.equal(applied(actions, 'Service'), undefined);
});

test('an object of the same name that is not ours is left alone', () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'orders', namespace: 'shop', uid: 's' },
  };
  const actions = reconcile(functionObject({}), { Service: service });
  assert.deepEqual(
    actions.map((action) => action.do),
    ['status', 'event', 'look-again'],
  );
  assert.equal(conditions(actions)['Degraded'], 'True NameTaken');
});

test('a spec that the schema would refuse changes nothing and says what is wrong', () => {
  for (const [spec, sentence] of [
    [{ cpuLimit: 'much' }, /^spec\.cpuLimit is not a CPU share\. Allowed: a share of CPU/],
    [{ memoryRequest: '65Mi' }, /^spec\.memoryRequest is larger than memoryLimit/],
    [
      { runtime: 'wasmtime' },
      /^spec\.runtime has a value that is not known\. Allowed: one of wasmedge, isolate\.$/,
    ],
    [{ image: 'orders:latest' }, /^spec\.image is not an image by its digest/],
    [
      { scaling: { minReplicas: 9, maxReplicas: 8 } },
      /^spec\.scaling\.minReplicas is larger than maxReplicas/,
    ],
    [{ scaling: { minReplicas: 0 } }, /^spec\.scaling\.minReplicas is 0/],
    [{ env: { PORT: '1' } }, /^spec\.env sets a variable that the operator sets/],
    [
      { env: { A: '1' }, secretEnv: { A: { name: 's', key: 'k' } } },
      /^spec\.secretEnv sets a variable that env sets/,
    ],
  ] as const) {
    const actions = reconcile(functionObject(spec), settled({}).objects);
    assert.deepEqual(
      actions.map((action) => action.do),
      ['status', 'event'],
    );
    assert.equal(conditions(actions)['Ready'], 'False InvalidSpec');
    const [, event] = actions;
    assert.match(event?.do === 'event' ? event.event.message : '', sentence);
  }
});

test('a function that is being deleted is left to the garbage collector', () => {
  const object = functionObject({});
  const metadata = { ...object.metadata, deletionTimestamp: '2026-11-23T09:59:59Z' };
  assert.deepEqual(reconcile({ ...object, metadata }), []);
});

test('conditions follow the rollout', () => {
  const stuck = [
    { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out' },
  ];
  for (const [status, expected] of [
    [{}, { Ready: 'False NoPods', Progressing: 'True RollingOut', Degraded: 'False AsWished' }],
    [
      { observedGeneration: 1, replicas: 3, updatedReplicas: 1, availableReplicas: 2 },
      { Ready: 'True Answering', Progressing: 'True RollingOut', Degraded: 'False AsWished' },
    ],
    [
      { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
      { Ready: 'True Answering', Progressing: 'False Settled', Degraded: 'False AsWished' },
    ],
    [
      { observedGeneration: 1, replicas: 3, updatedReplicas: 1, availableReplicas: 2, conditions: stuck },
      { Ready: 'True Answering', Progressing: 'False Stuck', Degraded: 'True Stuck' },
    ],
  ] as const) {
    const object = functionObject({ replicas: 2 });
    const objects: Record<string, KubeObject> = {};
    for (const action of reconcile(object)) {
      if (action.do === 'apply') objects[action.object.kind] = { ...action.object, status };
    }
    assert.deepEqual(conditions(reconcile(object, objects)), expected);
  }
});

test('a condition keeps its time while its status lasts', () => {
  const { object, objects } = settled({ replicas: 1 });
  const { conditions: known } = object['status'] as { conditions: Condition[] };
  const old = known.map((item) => ({ ...item, lastTransitionTime: '2026-01-01T00:00:00Z' }));
  const status = { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
  const grown = { ...(objects['Deployment'] as KubeObject), status };
  const actions = reconcile({ ...object, status: { conditions: old } }, { ...objects, Deployment: grown });
  const [action] = actions;
  assert.ok(action?.do === 'status');
  assert.deepEqual(
    (action.status as { conditions: Condition[] }).conditions.map((item) => item.lastTransitionTime),
    ['2026-11-23T10:00:00Z', '2026-11-23T10:00:00Z', '2026-01-01T00:00:00Z'],
  );
});
