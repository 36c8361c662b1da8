/** Medians and spreads: what every figure of the benchmarks is. */

/** The q-quantile (0..1) of numbers in any order, nearest rank. NaN when there are none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Least and largest value; NaN when there are none. */
export function range(values: readonly number[]): readonly [number, number] {
  return [quantile(values, 0), quantile(values, 1)];
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
