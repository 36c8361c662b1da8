import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../cluster/objects.ts';
import { DemandTable } from './demand-table.ts';
import { startDemandServer } from './demand-server.ts';
import { Reporters, reviewWith, type ServiceAccount } from './reporters.ts';

const GATEWAY = { namespace: 'shop', name: 'front' };

class World {
  now = 0;
  asked: string[] = [];
  problems: string[] = [];
  accounts = new Map<string, ServiceAccount>([['good', GATEWAY]]);
  broken = false;
  readonly reporters = new Reporters({
    review: async (token) => {
      this.asked.push(token);
      if (this.broken) throw new Error('forbidden');
      return this.accounts.get(token) ?? null;
    },
    now: () => this.now,
    everywhere: ['edge/all'],
    onProblem: ({ message }) => this.problems.push(message),
  });

  of(token: string) {
    return this.reporters.standingOf(`Bearer ${token}`);
  }
}

test('whoever the API server vouches for speaks of its namespace, and who is named for it of all', async () => {
  const world = new World();
  world.accounts.set('edge', { namespace: 'edge', name: 'all' });
  assert.deepEqual(await world.of('good'), { namespace: 'shop' });
  assert.deepEqual(await world.of('edge'), { namespace: 'every' });
  assert.equal(await world.of('made-up'), 'unknown');
});

test('what is no token is not asked about', async () => {
  const world = new World();
  for (const field of [
    undefined,
    '',
    'good',
    'Basic Z29vZA==',
    'Bearer',
    'Bearer  good',
    'Bearer good, Bearer good',
    'Bearer "good"',
    `Bearer ${'x'.repeat(8193)}`,
  ])
    assert.equal(await world.reporters.standingOf(field), 'unknown', String(field));
  assert.deepEqual(world.asked, []);
});

test('a verdict holds for a time, and then it is asked again', async () => {
  const world = new World();
  for (const now of [0, 1000, 59_999]) {
    world.now = now;
    assert.deepEqual(await world.of('good'), { namespace: 'shop' });
  }
  assert.equal(world.asked.length, 1);
  world.accounts.clear();
  world.now = 60_000;
  assert.equal(await world.of('good'), 'unknown', 'taken back');
  world.accounts.set('good', GATEWAY);
  world.now = 69_999;
  assert.equal(await world.of('good'), 'unknown');
  world.now = 70_000;
  assert.deepEqual(await world.of('good'), { namespace: 'shop' });
  assert.equal(world.asked.length, 3);
});

test('the same token at once is asked about once', async () => {
  const world = new World();
  await Promise.all(Array.from({ length: 100 }, () => world.of('good')));
  assert.equal(world.asked.length, 1);
});

test('a flood of made-up tokens: few are asked about, and who was believed before is not disturbed', async () => {
  const world = new World();
  await world.of('good');
  const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => world.of(`made-up-${i}`)));
  assert.equal(answers.filter((standing) => standing === 'unknown').length, 8);
  for (let i = 0; i < 1000; i++) await world.of(`one-by-one-${i}`);
  assert.equal(world.asked.length, 50, 'in one second');
  assert.equal(await world.of('later'), 'later');
  assert.deepEqual(await world.of('good'), { namespace: 'shop' });
  world.now = 1000;
  assert.equal(await world.of('later'), 'unknown');
});

test('when nobody can be asked it is said once, and reports wait', async () => {
  const world = new World();
  world.broken = true;
  for (let i = 0; i < 5; i++) assert.equal(await world.of('good'), 'later');
  assert.deepEqual(world.problems, ['forbidden']);
  world.broken = false;
  assert.deepEqual(await world.of('good'), { namespace: 'shop' });
});

test('the API server is asked for the audience, and only what it says of it counts', async () => {
  const good = {
    authenticated: true,
    audiences: ['mayfly-demand'],
    user: { username: 'system:serviceaccount:shop:front' },
  };
  for (const [what, status, expected] of [
    ['good', good, GATEWAY],
    ['not authenticated', { ...good, authenticated: false }, null],
    ['another audience', { ...good, audiences: ['https://kubernetes.default.svc'] }, null],
    ['no audience', { ...good, audiences: undefined }, null],
    ['a person', { ...good, user: { username: 'admin' } }, null],
    ['no status', undefined, null],
  ] as const) {
    const sent: KubeObject[] = [];
    const create = async (object: KubeObject) => {
      sent.push(object);
      return { ...object, status };
    };
    assert.deepEqual(await reviewWith({ create })('t'), expected, what);
    assert.deepEqual(sent[0]?.['spec'], { token: 't', audiences: ['mayfly-demand'] });
  }
});

test('the server answers who nobody vouches for before it reads, and who speaks of others', async () => {
  const { reporters } = new World();
  const table = new DemandTable();
  await using server = await startDemandServer({ host: '127.0.0.1', port: 0 }, table, reporters, () => 0);
  const post = async (token: string | null, name: string) => {
    const response = await fetch(`http://127.0.0.1:${server.port}/demand`, {
      method: 'POST',
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      body: JSON.stringify({ gateway: 'g', functions: [{ function: name, open: 1, answered: 0 }] }),
    });
    return { response, text: await response.text() };
  };
  const nobody = await post(null, 'shop/orders');
  assert.equal(nobody.response.status, 401);
  assert.equal(nobody.response.headers.get('www-authenticate'), 'Bearer');
  assert.equal(nobody.response.headers.get('content-type'), 'application/problem+json');
  assert.match(nobody.text, /demand\.token_file/);
  const wrong = await post('made-up', 'shop/orders');
  assert.equal(wrong.response.status, 401);
  assert.ok(!wrong.text.includes('made-up'));
  assert.equal((await post('good', 'stock/orders')).response.status, 403);
  assert.equal((await post('good', 'shopping/orders')).response.status, 403);
  assert.deepEqual([...table.functions()], []);
  assert.equal((await post('good', 'shop/orders')).response.status, 204);
  assert.deepEqual([...table.functions()], ['shop/orders']);
});
