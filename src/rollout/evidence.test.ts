import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evidenceAbove, evidenceWorse } from './evidence.ts';

/** The mixture over Beta(½, ½) as a product: each request is predicted from those before it with (bad + ½) / (all + 1). */
function mixtureByPrediction(bad: number, all: number): number {
  let logarithm = 0;
  for (let i = 0; i < all; i++) {
    const isBad = i < bad;
    const badBefore = Math.min(i, bad);
    logarithm += Math.log(((isBad ? badBefore : i - badBefore) + 0.5) / (i + 1));
  }
  return logarithm;
}

function likelihood(bad: number, all: number, rate: number): number {
  return (bad && bad * Math.log(rate)) + (all - bad && (all - bad) * Math.log(1 - rate));
}

test('the mixture is the product of its predictions', () => {
  for (const [bad, all] of [
    [0, 0],
    [0, 1],
    [3, 3],
    [1, 10],
    [40, 1000],
    [5000, 100_000],
  ] as const) {
    const share = 1e-4;
    const expected = mixtureByPrediction(bad, all) - likelihood(bad, all, Math.min(share, bad / (all || 1)));
    assert.ok(Math.abs(evidenceAbove({ bad, all }, share) - expected) < 1e-7, `${bad} of ${all}`);
  }
});

test('nothing seen proves nothing, and one of ten is no proof', () => {
  assert.ok(evidenceAbove({ bad: 0, all: 0 }, 0.01) <= 1e-9);
  assert.ok(evidenceAbove({ bad: 1, all: 10 }, 0.01) < Math.log(100));
  assert.ok(evidenceAbove({ bad: 0, all: 1000 }, 0.01) < 0);
  assert.ok(evidenceAbove({ bad: 30, all: 100 }, 0.01) > Math.log(1e6));
});

test('the same rate in both is no evidence, however many', () => {
  for (const all of [10, 1000, 1_000_000]) {
    assert.ok(evidenceWorse({ bad: all / 10, all }, { bad: all, all: all * 10 }) < 0);
  }
  assert.ok(evidenceWorse({ bad: 30, all: 100 }, { bad: 0, all: 1900 }) > Math.log(1e6));
  assert.ok(evidenceWorse({ bad: 0, all: 100 }, { bad: 500, all: 1000 }) < 0);
  assert.ok(evidenceWorse({ bad: 9, all: 9 }, { bad: 0, all: 0 }) < Math.log(10));
});
