import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, type Cluster, type Listing, type WatchEvent } from '../cluster/cluster.ts';
import { keyOf, type KubeObject } from '../cluster/objects.ts';
import { DEPLOYMENTS } from '../cluster/resources.ts';
import { Informer } from './informer.ts';

function deployment(name: string, version: number, note = ''): KubeObject {
  const metadata = { name, namespace: 'shop', resourceVersion: String(version) };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { note } };
}

interface Script {
  readonly lists: Listing[];
  /** One for each watch; an error ends it. */
  readonly watches: (readonly (WatchEvent | ApiError)[])[];
}

/** Runs an informer until the script is at its end. */
async function follow(script: Script, meanwhile: (informer: Informer) => void = () => {}) {
  const end = new AbortController();
  const changes: string[] = [];
  const asked: string[] = [];
  const cluster: Pick<Cluster, 'list' | 'watch'> = {
    async list() {
      asked.push('list');
      return script.lists.shift() as Listing;
    },
    async *watch(_, from) {
      asked.push(from);
      for (const event of script.watches.shift() ?? []) {
        if (event instanceof ApiError) throw event;
        yield event;
      }
      meanwhile(informer);
      if (script.watches.length === 0) end.abort();
    },
  };
  const informer = new Informer({
    cluster: cluster as Cluster,
    selection: { resource: DEPLOYMENTS, labels: {} },
    time: { now: () => 0, sleep: async () => {} },
    onChange: ({ before, after }) => changes.push(keyOf((after ?? before) as KubeObject)),
    onFailure: () => {},
  });
  await informer.run(end.signal);
  return { informer, changes, asked };
}

test('it lists once and goes on from there', async () => {
  const { informer, changes, asked } = await follow({
    lists: [{ items: [deployment('a', 3)], resourceVersion: '5' }],
    watches: [
      [
        { type: 'MODIFIED', object: deployment('a', 6) },
        { type: 'BOOKMARK', object: deployment('', 9) },
      ],
      [
        { type: 'DELETED', object: deployment('a', 10) },
        { type: 'ADDED', object: deployment('b', 11) },
      ],
    ],
  });
  assert.deepEqual(asked, ['list', '5', '9']);
  assert.deepEqual(changes, ['shop/a', 'shop/a', 'shop/a', 'shop/b']);
  assert.deepEqual([...informer.values()].map(keyOf), ['shop/b']);
});

test('a forgotten version makes it list again, and what is not there any more is gone', async () => {
  const { informer, asked } = await follow({
    lists: [
      { items: [deployment('a', 3), deployment('b', 4)], resourceVersion: '5' },
      { items: [deployment('b', 4)], resourceVersion: '9' },
    ],
    watches: [[new ApiError(410, 'Expired', '')], []],
  });
  assert.deepEqual(asked, ['list', '5', 'list', '9']);
  assert.deepEqual([...informer.values()].map(keyOf), ['shop/b']);
});

test('a broken watch goes on where it was; one that stays broken begins anew', async () => {
  const broken = new ApiError(0, 'Unreachable', '');
  const { asked } = await follow({
    lists: [
      { items: [], resourceVersion: '5' },
      { items: [], resourceVersion: '8' },
    ],
    watches: [[{ type: 'ADDED', object: deployment('a', 6) }, broken], [broken], [broken], []],
  });
  assert.deepEqual(asked, ['list', '5', '6', '6', 'list', '8']);
});

test('news that are older than what is known do not count', async () => {
  const { informer, changes } = await follow(
    {
      lists: [{ items: [deployment('a', 3, 'old')], resourceVersion: '5' }],
      watches: [
        [],
        [
          { type: 'MODIFIED', object: deployment('a', 7, 'older') },
          { type: 'MODIFIED', object: deployment('a', 8, 'written') },
        ],
      ],
    },
    (known) => known.learn(deployment('a', 8, 'written')),
  );
  assert.deepEqual(informer.get('shop/a')?.['spec'], { note: 'written' });
  assert.deepEqual(changes, ['shop/a', 'shop/a']);
});
