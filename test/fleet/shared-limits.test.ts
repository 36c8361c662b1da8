/** What several gateways let pass together, beside what one would: never more than docs/adr/0009-fleet.md says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needPart } from '../support/parts.ts';
import { startLimiters, type LoadResult } from './support/limiting.ts';
import { startValkey } from './support/valkey.ts';

const INTERVAL_MS = 100;
const LOAD_MS = 2000;

interface Case {
  readonly gateways: number;
  readonly keys: number;
  readonly rate: number;
  readonly burst: number;
}

/** Requests of one key that pass at one gateway in the time, and that may pass at several. */
function bounds({ gateways, rate, burst }: Case, results: readonly LoadResult[]) {
  const seconds = LOAD_MS / 1000;
  const one = burst + rate * seconds;
  const slowest = results.map(({ slowestMs }) => slowestMs).toSorted((a, b) => b - a);
  // Until a message is sent, and until a thread that had other things to do has taken it in.
  const staleSeconds = ((slowest[0] ?? 0) + (slowest[1] ?? slowest[0] ?? 0)) / 1000;
  const share = Math.ceil(burst / gateways);
  return {
    one,
    // After a burst that all had a part in, each waits until its own part is free again; late news costs time too.
    usual: share + rate * Math.max(0, seconds - staleSeconds),
    most: gateways * share + rate * seconds + (gateways - 1) * rate * staleSeconds,
    staleSeconds,
  };
}

const cases: Case[] = [2, 4, 8].flatMap((gateways) => [
  { gateways, keys: 1, rate: 200, burst: 40 },
  { gateways, keys: 10_000, rate: 2, burst: 8 },
]);

for (const each of cases) {
  const { gateways, keys, rate, burst } = each;
  test(`${gateways} gateways, ${keys} keys`, { timeout: 60_000 }, async (t) => {
    const part = await needPart(t, 'valkey');
    if (part === undefined) return;
    await using valkey = await startValkey(part.paths.valkey);
    const order = { port: valkey.port, rate, burst, keys, intervalMs: INTERVAL_MS, members: gateways };
    await using limiters = await startLimiters(order);
    const results = await limiters.load(LOAD_MS);
    const passed = Array.from({ length: keys }, (_, key) =>
      results.reduce((sum, { accepted }) => sum + (accepted[key] ?? 0), 0),
    );
    const { one, most, usual, staleSeconds } = bounds(each, results);
    const worst = Math.max(...passed);
    const mean = passed.reduce((sum, count) => sum + count, 0) / keys;
    t.diagnostic(
      `| ${gateways} | ${keys} | ${one} | ${mean.toFixed(1)} | ${worst} | ${(100 * (worst / one - 1)).toFixed(1)} % | ${most.toFixed(1)} | ${(staleSeconds * 1000).toFixed(0)} ms |`,
    );
    assert.equal(
      results.reduce((sum, { lost }) => sum + lost, 0),
      0,
    );
    assert.ok(worst <= most, `${worst} passed, at most ${most} may`);
    assert.ok(mean > usual / 2, `only ${mean} of ${usual} passed: the gateways hold each other up`);
  });
}

test(
  'Valkey away: each lets its part of the rate pass, and all share again when it is back',
  { timeout: 60_000 },
  async (t) => {
    const part = await needPart(t, 'valkey');
    if (part === undefined) return;
    await using valkey = await startValkey(part.paths.valkey);
    const [gateways, rate, burst] = [4, 200, 40];
    const order = { port: valkey.port, rate, burst, keys: 1, intervalMs: INTERVAL_MS, members: gateways };
    await using limiters = await startLimiters(order);
    const sum = (results: readonly LoadResult[]) =>
      results.reduce((total, { accepted }) => total + (accepted[0] ?? 0), 0);

    await valkey.kill();
    await limiters.down;
    const away = await limiters.load(LOAD_MS);
    const { one, most } = bounds({ gateways, rate, burst, keys: 1 }, away);
    t.diagnostic(`away: ${sum(away)} passed, one gateway: ${one}, at most ${most.toFixed(1)}`);
    assert.ok(sum(away) <= most);
    assert.ok(sum(away) > one / 2);

    await valkey.start();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const back = await limiters.load(LOAD_MS);
    t.diagnostic(`back: ${sum(back)} passed`);
    assert.ok(sum(back) <= bounds({ gateways, rate, burst, keys: 1 }, back).most);
    assert.ok(sum(back) > one / 2);
  },
);
