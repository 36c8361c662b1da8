import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { problems, type ProblemCode } from '../model/problems.ts';
import { families, functionCounter, type MetricFamily, STAGES, threadCounter } from './definitions.ts';
import { createMetricSlab, MetricReader, MetricRow } from './metric-slab.ts';
import {
  chooseFormat,
  CONTENT_TYPES,
  type MetricFormat,
  renderMetrics,
  type Sample,
} from './open-metrics.ts';
import { MetricsServer } from './metrics-server.ts';

interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: ParsedSample[];
}

function text(...asked: Parameters<typeof renderMetrics>): string {
  return [...renderMetrics(...asked)].join('');
}

/** A strict reader of the OpenMetrics 1.0 grammar as far as we use it; throws on anything else. */
function parseOpenMetrics(text: string): Map<string, ParsedFamily> {
  const found = new Map<string, ParsedFamily>();
  const lines = text.split('\n');
  assert.equal(lines.pop(), '', 'ends with a line feed');
  assert.equal(lines.pop(), '# EOF');
  let current: ParsedFamily | undefined;
  let name = '';
  const seen = new Set<string>();
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram|info)$/.exec(line);
    if (type !== null) {
      name = type[1] as string;
      assert.ok(!found.has(name), `${name} twice`);
      const help = new RegExp(`^# HELP ${name} (.+)$`).exec(lines[++at] as string);
      assert.ok(help !== null, lines[at]);
      current = { type: type[2] as string, help: help[1] as string, samples: [] };
      found.set(name, current);
      continue;
    }
    const sample = /^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/.exec(line);
    assert.ok(sample !== null && current !== undefined, `not a sample: ${line}`);
    const suffix = (sample[1] as string).slice(name.length);
    assert.ok((sample[1] as string).startsWith(name), line);
    const allowed = {
      counter: ['_total'],
      gauge: [''],
      info: ['_info'],
      histogram: ['_bucket', '_count', '_sum'],
    };
    assert.ok(allowed[current.type as keyof typeof allowed].includes(suffix), line);
    const labels: Record<string, string> = {};
    for (const pair of (sample[2] ?? '').matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)) {
      assert.ok(!((pair[1] as string) in labels), `label twice: ${line}`);
      labels[pair[1] as string] = (pair[2] as string).replaceAll(/\\(.)/g, (_, mark) =>
        mark === 'n' ? '\n' : mark,
      );
    }
    const identity = `${sample[1]}${JSON.stringify(Object.entries(labels).toSorted())}`;
    assert.ok(!seen.has(identity), `series twice: ${line}`);
    seen.add(identity);
    const value = Number(sample[3]);
    assert.ok(Number.isFinite(value), line);
    if (current.type === 'counter') assert.ok(value >= 0, line);
    current.samples.push({ name: sample[1] as string, labels, value });
  }
  for (const [family, { type: kind, samples }] of found)
    if (kind === 'histogram') checkHistogram(family, samples);
  return found;
}

function checkHistogram(name: string, samples: readonly ParsedSample[]): void {
  const series = Map.groupBy(samples, ({ labels }) => JSON.stringify({ ...labels, le: '' }));
  for (const [labels, own] of series) {
    const buckets = own.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le } }) => (le === '+Inf' ? Infinity : Number(le)));
    const counts = buckets.map(({ value }) => value);
    assert.deepEqual(
      bounds,
      bounds.toSorted((a, b) => a - b),
      `${labels}: bounds ascend`,
    );
    assert.equal(new Set(bounds).size, bounds.length);
    assert.equal(bounds.at(-1), Infinity);
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
      `${labels}: counts are cumulative`,
    );
    assert.equal(own.find((sample) => sample.name === `${name}_count`)?.value, counts.at(-1));
    assert.ok((own.find((sample) => sample.name === `${name}_sum`)?.value ?? -1) >= 0);
  }
}

function everything(slab: SharedArrayBuffer): void {
  const row = new MetricRow(slab, 0);
  row.answered(1, 200, 12.5, 133, 197);
  row.answered(1, 503, 9e9, 0, 60);
  row.coldStart(1, 80);
  row.queueWait(1, 3000);
  for (const counter of Object.values(functionCounter)) row.add(1, counter, 1);
  for (const counter of Object.values(threadCounter)) row.addThread(counter, 1);
  STAGES.forEach((_, index) => row.stage(index, 0.3));
  for (const problem of Object.keys(problems) as ProblemCode[]) row.rejected(problem);
}

const samples: readonly Sample[] = [
  { family: 'instances', labels: {}, value: 12 },
  { family: 'connectionsOpen', labels: {}, value: 3 },
  { family: 'inFlight', labels: { function: 'shop' }, value: 1 },
  { family: 'waiting', labels: { function: 'shop' }, value: 0 },
  ...(['revisionRequests', 'revisionErrors', 'revisionSlow'] as const).map((family) => ({
    family,
    labels: { function: 'shop', revision: 'shop-2', digest: 'sha256:ab' },
    value: 3,
  })),
  { family: 'rolloutWeight', labels: { function: 'shop', revision: 'shop-2' }, value: 25 },
  { family: 'rollbacks', labels: { function: 'shop' }, value: 1 },
  { family: 'policies', labels: { policy: 'shop', mode: 'javascript' }, value: 1 },
  { family: 'limitKeys', labels: {}, value: 5 },
  { family: 'limitCapacity', labels: {}, value: 100 },
  { family: 'limitOverflowed', labels: {}, value: 0 },
  ...(
    ['fleetMembers', 'fleetConnected', 'fleetSent', 'fleetReceived', 'fleetLost', 'fleetSlowest'] as const
  ).map((family) => ({ family, labels: {}, value: 2 })),
  { family: 'residentMemory', labels: {}, value: 1e8 },
  { family: 'processCpu', labels: {}, value: 1.25 },
  { family: 'startTime', labels: {}, value: 1_795_000_000 },
  { family: 'config', labels: { hash: 'ab12' }, value: 1 },
  { family: 'build', labels: { version: '0.1.0', node: '26.10.0' }, value: 1 },
];

test('everything renders as OpenMetrics: every family, its type, its labels', () => {
  const slab = createMetricSlab(1);
  everything(slab);
  const sources = { reader: new MetricReader(slab), functions: [{ name: 'shop', slot: 1 }], samples };
  const parsed = parseOpenMetrics(text(sources, 'openmetrics'));
  for (const family of Object.values(families) as MetricFamily[]) {
    const found = parsed.get(family.name);
    assert.ok(found !== undefined, `${family.name} is missing`);
    assert.equal(found.type, family.type);
    for (const { labels } of found.samples) {
      const names = Object.keys(labels).filter((name) => name !== 'le');
      assert.deepEqual(names.toSorted(), family.labels.toSorted(), family.name);
    }
  }
  assert.equal(parsed.size, Object.keys(families).length);
  const requests = parsed.get('mayfly_requests')?.samples;
  assert.deepEqual(
    requests?.map(({ labels, value }) => [labels, value]),
    [
      [{ function: 'shop', code: '200' }, 1],
      [{ function: 'shop', code: '503' }, 1],
    ],
  );
});

test('names that come from people are escaped and read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      const slab = createMetricSlab(1);
      new MetricRow(slab, 0).answered(0, 200, 1, 0, 0);
      const sources = { reader: new MetricReader(slab), functions: [{ name, slot: 0 }], samples: [] };
      const parsed = parseOpenMetrics(text(sources, 'openmetrics'));
      assert.equal(parsed.get('mayfly_requests')?.samples[0]?.labels['function'], name);
    }),
    { numRuns: 50 },
  );
});

test('the older text format names what its samples are called, and has no end mark', () => {
  const slab = createMetricSlab(1);
  everything(slab);
  const sources = { reader: new MetricReader(slab), functions: [{ name: 'shop', slot: 1 }], samples };
  const page = text(sources, 'prometheus');
  assert.match(page, /^# TYPE mayfly_requests_total counter$/m);
  assert.match(page, /^# TYPE mayfly_build_info gauge$/m);
  assert.doesNotMatch(page, /EOF/);
});

test('a scraper gets what it asks for', () => {
  const cases: [string | undefined, MetricFormat][] = [
    [undefined, 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/plain', 'prometheus'],
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1',
      'openmetrics',
    ],
    ['Application/OpenMetrics-Text', 'openmetrics'],
    ['application/openmetrics-text;q=0, text/plain', 'prometheus'],
  ];
  for (const [accept, format] of cases) assert.equal(chooseFormat(accept), format, String(accept));
});

test('the server: metrics in both formats, health, and nothing else', async () => {
  let healthy = true;
  await using server = await MetricsServer.start({
    host: '127.0.0.1',
    port: 0,
    render: (format) => `${format}\n`,
    isHealthy: () => healthy,
  });
  const base = `http://127.0.0.1:${server.port}`;
  const plain = await fetch(`${base}/metrics`);
  assert.equal(plain.headers.get('content-type'), CONTENT_TYPES.prometheus);
  assert.equal(await plain.text(), 'prometheus\n');
  const open = await fetch(`${base}/metrics?x=1`, { headers: { accept: 'application/openmetrics-text' } });
  assert.equal(open.headers.get('content-type'), CONTENT_TYPES.openmetrics);
  assert.equal(await open.text(), 'openmetrics\n');
  assert.equal((await fetch(`${base}/health`)).status, 200);
  healthy = false;
  assert.equal((await fetch(`${base}/health`)).status, 503);
  assert.equal((await fetch(`${base}/other`)).status, 404);
  assert.equal((await fetch(`${base}/metrics`, { method: 'POST' })).status, 405);
  await assert.rejects(
    MetricsServer.start({ host: '127.0.0.1', port: server.port, render: () => '', isHealthy: () => true }),
    { name: 'MayflyError', message: /port is in use/ },
  );
});

/** A thousand functions that all had traffic. */
function manyFunctions() {
  const slab = createMetricSlab(1);
  const row = new MetricRow(slab, 0);
  const functions = Array.from({ length: 1000 }, (_, slot) => ({ name: `f${slot}`, slot }));
  for (const { slot } of functions) row.answered(slot, 200, 100 + slot, 10, 10);
  return { reader: new MetricReader(slab), functions, samples: [] };
}

test('a page of many functions comes in small chunks that make up the whole', () => {
  const chunks = [...renderMetrics(manyFunctions(), 'openmetrics')];
  assert.ok(chunks.length > 50, `${chunks.length} chunks`);
  for (const chunk of chunks) assert.ok(chunk.length < 100_000, `a chunk of ${chunk.length} characters`);
  const parsed = parseOpenMetrics(chunks.join(''));
  assert.equal(parsed.get('mayfly_requests')?.samples.length, 1000);
  assert.equal(parsed.get('mayfly_requests')?.samples.at(-1)?.labels['function'], 'f999');
});

test('the numbers are those of the moment when the page was begun', () => {
  const slab = createMetricSlab(1);
  const row = new MetricRow(slab, 0);
  const functions = Array.from({ length: 300 }, (_, slot) => ({ name: `f${slot}`, slot }));
  for (const { slot } of functions) row.answered(slot, 200, 1, 0, 0);
  const chunks = renderMetrics({ reader: new MetricReader(slab), functions, samples: [] }, 'openmetrics');
  const first = chunks.next().value as string;
  for (const { slot } of functions) row.answered(slot, 200, 1, 0, 0);
  const parsed = parseOpenMetrics(first + [...chunks].join(''));
  for (const { value } of parsed.get('mayfly_requests')?.samples ?? []) assert.equal(value, 1);
});

test('other work gets its turn while a page is written, also while the client does not read', async () => {
  let made = 0;
  const turns: number[] = [];
  await using server = await MetricsServer.start({
    host: '127.0.0.1',
    port: 0,
    *render() {
      for (; made < 20; made++) {
        setImmediate(() => turns.push(made));
        yield `${'x'.repeat(1_000_000)}\n`;
      }
    },
    isHealthy: () => true,
  });
  const url = `http://127.0.0.1:${server.port}/metrics`;
  const response = await fetch(url);
  assert.equal((await response.text()).length, 20_000_020);
  assert.equal(new Set(turns).size, 20, 'one turn between any two chunks');

  made = 0;
  const leaving = new AbortController();
  await fetch(url, { signal: leaving.signal });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(made < 20, 'nothing piles up for a client that does not read');
  leaving.abort();
  made = 19;
  assert.equal((await (await fetch(url)).text()).length, 1_000_001, 'and others are served');
});
