import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MayflyError } from '../model/errors.ts';
import { promote, rollback, type Traffic } from './traffic.ts';

/** Traffic as it can be: one revision, or two with weights that sum to 100. */
const traffics: fc.Arbitrary<Traffic> = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 100 }))
  .map(([one, step, weight]) => {
    const first = { revision: one, weight };
    return weight === 100 ? [first] : [first, { revision: one + step, weight: 100 - weight }];
  });

test('whatever is promoted, weights sum to 100, at most two share, and the promoted one gets its percentage', () => {
  fc.assert(
    fc.property(
      traffics,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 100 }),
      (traffic, revision, percent) => {
        let next: Traffic;
        try {
          next = promote(traffic, revision, percent);
        } catch (error) {
          assert.ok(error instanceof MayflyError);
          assert.ok(percent < 100 && traffic.length === 1 && traffic[0]?.revision === revision);
          return;
        }
        assert.equal(
          next.reduce((sum, share) => sum + share.weight, 0),
          100,
        );
        assert.ok(next.length <= 2 && next.every(({ weight }) => weight > 0));
        assert.equal(next.find((share) => share.revision === revision)?.weight ?? 0, percent);
        const others = next.filter((share) => share.revision !== revision);
        const most = Math.max(
          ...traffic.filter((share) => share.revision !== revision).map(({ weight }) => weight),
        );
        for (const other of others) {
          assert.equal(traffic.find((share) => share.revision === other.revision)?.weight, most);
        }
        assert.deepEqual(
          next,
          next.toSorted((a, b) => a.revision - b.revision),
        );
      },
    ),
  );
});

test('no percentage but whole numbers from 0 to 100', () => {
  for (const percent of [-1, 101, 1.5, NaN, Infinity]) {
    assert.throws(() => promote([{ revision: 1, weight: 100 }], 2, percent), /is not a percentage/);
  }
});

test('rollback ends a split in favour of the older one, else goes one revision back', () => {
  const split = [
    { revision: 3, weight: 10 },
    { revision: 5, weight: 90 },
  ];
  assert.deepEqual(rollback(split, [1, 3, 5]), [{ revision: 3, weight: 100 }]);
  assert.deepEqual(rollback([{ revision: 5, weight: 100 }], [1, 3, 5]), [{ revision: 3, weight: 100 }]);
  assert.deepEqual(rollback([{ revision: 3, weight: 100 }], [1, 3, 5]), [{ revision: 1, weight: 100 }]);
  assert.throws(() => rollback([{ revision: 1, weight: 100 }], [1, 3, 5]), /no revision before 1/);
  assert.deepEqual(rollback(split, [1, 3, 5], 1), [{ revision: 1, weight: 100 }]);
});
