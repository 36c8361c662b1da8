/** 100 real pods of WasmEdge on real nodes, behind their Service. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../kubernetes/support/kubectl.ts';
import { NodeCluster, nodeClusterParts } from '../kubernetes/support/node-cluster.ts';

const PODS = 100;
const WITHIN_MS = 300_000;
const SOURCE = {
  'mayfly.yaml': 'functions: { hello: { source: ./function.ts, routes: [{ path: / }] } }',
  'function.ts': `import { Request, Response } from "mayfly";
export function handle(request: Request): Response {
  return new Response("hello");
}
`,
};

test('2 pods of WasmEdge become 100, and their Service answers', async (t) => {
  const parts = await nodeClusterParts(t);
  if (parts === undefined) return;
  await using cluster = await NodeCluster.start(parts, 2);
  const { kubectl } = cluster;
  const ready = (count: number) =>
    eventually(
      `${count} pods are ready`,
      async () => (await kubectl.get<Deployment>('deployment', 'hello'))?.status?.readyReplicas === count,
      WITHIN_MS,
    );
  const image = await cluster.push('hello', SOURCE);
  await kubectl.apply({
    apiVersion: 'mayfly.dev/v1alpha1',
    kind: 'Function',
    metadata: { name: 'hello', namespace: 'default' },
    spec: { runtime: 'wasmedge', image, replicas: 2 },
  });
  await ready(2);
  const begun = performance.now();
  await kubectl.run('scale', 'function/hello', `--replicas=${PODS}`);
  await ready(PODS);
  t.diagnostic(`2 to ${PODS} pods: ${Math.round(performance.now() - begun)} ms`);
  for (const node of cluster.nodes)
    for (let time = 0; time < PODS; time++)
      assert.equal((await cluster.askService('hello', '/', node)).body, 'hello');
});

interface Deployment {
  readonly status?: { readonly readyReplicas?: number };
}
