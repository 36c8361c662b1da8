/** A canary of the file on two gateways: each shares its requests as the file says, and what both count together decides. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { decide, firstPosition } from '../../src/rollout/decide.ts';
import {
  observe,
  type PodSample,
  sampleFrom,
  type Window,
} from '../../src/kubernetes/rollout/pod-counters.ts';
import { digestOf } from '../../src/artifacts/digest.ts';
import { answering } from '../support/answering.ts';
import { get } from '../support/clients.ts';
import { FREE_PORTS, startTestPlatform, type TestPlatform } from '../support/platform.ts';

const plan = {
  steps: [20, 50],
  intervalMs: 1000,
  minRequests: 50,
  maxErrorRate: 0.01,
  maxP99Ms: 1000,
};
const CONFIG = `${FREE_PORTS}
security: { rate_limit_enabled: false }
functions:
  live: { source: old.wasm, canary: { source: new.wasm, weight: 20, max_p99: 1s } }
`;
/** A long request makes its frame long. */
const LONG = `?${'x'.repeat(600)}`;

async function sampleOf({ platform }: TestPlatform): Promise<PodSample> {
  const page = await fetch(`${platform.addresses.metrics}/metrics`);
  return sampleFrom(await page.text(), 'live');
}

for (const [what, instructions, expected] of [
  ['a good one', '', 'step'],
  ['one that traps', '(if (i32.gt_u (local.get 1) (i32.const 600)) (then unreachable))', 'roll-back'],
] as const) {
  test(`${what}, counted over two gateways`, { timeout: 60_000 }, async () => {
    const old = await answering('old');
    const fresh = await answering('new', instructions);
    const files = { 'old.wasm': old, 'new.wasm': fresh };
    await using one = await startTestPlatform(CONFIG, files);
    await using two = await startTestPlatform(CONFIG, files);
    const digests = { stable: digestOf(old), candidate: digestOf(fresh) };
    const look = async (before?: Window) =>
      observe(
        before,
        '1',
        digests,
        new Map([
          ['a', await sampleOf(one)],
          ['b', await sampleOf(two)],
        ]),
      );
    const began = await look();
    const agent = new Agent({ keepAlive: true });
    const seen: Record<string, number> = {};
    for (let turn = 0; turn < 800; turn++) {
      const { url } = turn % 2 === 0 ? one : two;
      const { status, text } = await get(agent, `${url}/live${turn % 4 < 2 ? LONG : ''}`);
      const answer = status === 200 ? text : String(status);
      seen[answer] = (seen[answer] ?? 0) + 1;
    }
    agent.destroy();
    const { figures } = await look(began);
    // 800 draws of one in five: five standard deviations.
    const share = figures.candidate.requests;
    assert.ok(Math.abs(share - 160) < 57, `${share} of 800`);
    assert.equal(figures.stable.requests + share, 800);
    assert.equal(figures.stable.requests, seen['old']);
    assert.equal(figures.candidate.errors, seen['500'] ?? 0);
    assert.equal(figures.stable.errors, 0);
    assert.equal(decide(plan, firstPosition(0), figures, 1000).do, expected);
  });
}

test('one with the code of the other is no revision of its own, and the page says for which configuration', async () => {
  const wasm = await answering('old');
  await using one = await startTestPlatform(CONFIG, { 'old.wasm': wasm, 'new.wasm': wasm });
  const digests = { stable: digestOf(wasm), candidate: digestOf(await answering('new')) };
  const sample = await sampleOf(one);
  assert.match(sample.configuration ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual([...sample.counts.keys()], [digests.stable]);
  const { without } = observe(undefined, '1', digests, new Map([['a', sample]]));
  assert.deepEqual([...without], [sample.configuration]);
});
