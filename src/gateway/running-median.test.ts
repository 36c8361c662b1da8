import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningMedian } from './running-median.ts';

function after(start: number, values: readonly number[]): number {
  const median = new RunningMedian(start);
  for (const value of values) median.add(value);
  return median.value;
}

function times(count: number, value: (index: number) => number): number[] {
  return Array.from({ length: count }, (_, index) => value(index));
}

const near = (got: number, wanted: number) =>
  assert.ok(got > wanted * 0.8 && got < wanted * 1.25, `${got}, not ${wanted}`);

test('it finds the median, from below and from above', () => {
  near(
    after(
      0.02,
      times(60, () => 1),
    ),
    1,
  );
  near(
    after(
      50,
      times(60, () => 1),
    ),
    1,
  );
  near(
    after(
      0.02,
      times(2000, (i) => 1 + ((i * 7) % 101) / 50),
    ),
    2,
  );
});

test('outliers move it no more than other values do', () => {
  near(
    after(
      0.02,
      times(1000, (i) => (i % 10 === 0 ? 1e6 : 0.05)),
    ),
    0.05,
  );
});

test('it never becomes too small to grow', () => {
  near(after(1, [...times(10_000, () => 0), ...times(120, () => 1)]), 1);
});
