/** Reads back what /metrics says. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Histogram {
  readonly count: number;
  readonly sum: number;
  /** Upper bounds and counts up to them, ascending. */
  readonly buckets: readonly (readonly [le: number, count: number])[];
}

export function parseMetrics(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match === null) continue;
    const labels = Object.fromEntries(
      [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name, value]),
    );
    samples.push({ name: match[1] as string, labels, value: Number(match[3]) });
  }
  return samples;
}

/** The histogram `name` over all samples that `matches` accepts, added up. */
export function histogramOf(
  samples: readonly Sample[],
  name: string,
  matches: (labels: Sample['labels']) => boolean,
): Histogram {
  const buckets = new Map<number, number>();
  let count = 0;
  let sum = 0;
  for (const sample of samples) {
    if (!sample.name.startsWith(name) || !matches(sample.labels)) continue;
    if (sample.name === `${name}_count`) count += sample.value;
    if (sample.name === `${name}_sum`) sum += sample.value;
    if (sample.name !== `${name}_bucket`) continue;
    const le = Number((sample.labels['le'] ?? '').replace('+Inf', 'Infinity'));
    buckets.set(le, (buckets.get(le) ?? 0) + sample.value);
  }
  return { count, sum, buckets: [...buckets].toSorted((a, b) => a[0] - b[0]) };
}

/** Upper bound of the bucket in which the q-quantile lies: the true one is not larger. */
export function histogramQuantile({ count, buckets }: Histogram, q: number): number {
  return buckets.find(([, upTo]) => upTo >= count * q)?.[0] ?? Number.NaN;
}

/** What was added to a histogram between two looks at it. */
export function histogramGrowth(before: Histogram, after: Histogram): Histogram {
  const earlier = new Map(before.buckets);
  return {
    count: after.count - before.count,
    sum: after.sum - before.sum,
    buckets: after.buckets.map(([le, upTo]) => [le, upTo - (earlier.get(le) ?? 0)] as const),
  };
}

/** Mean without the slowest 1 − `share`, every value taken as the middle of its bucket. 0 when it is empty. */
export function trimmedMean({ count, buckets }: Histogram, share: number): number {
  const wanted = count * share;
  let [total, taken, lower, below] = [0, 0, 0, 0];
  for (const [le, upTo] of buckets) {
    const here = Math.min(upTo - below, wanted - taken);
    if (here > 0 && Number.isFinite(le)) {
      total += (here * (lower + le)) / 2;
      taken += here;
    }
    lower = le;
    below = upTo;
  }
  return taken === 0 ? 0 : total / taken;
}
