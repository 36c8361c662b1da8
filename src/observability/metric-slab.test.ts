import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { functionCounter, stage, STAGES, threadCounter } from './definitions.ts';
import { observe, requestShape, stageShape } from './histogram.ts';
import { createMetricSlab, MetricReader, MetricRow } from './metric-slab.ts';
import { metricsReference } from './metrics-reference.ts';

test('a value lands in the bucket whose bound is the first not below it', () => {
  for (const shape of [requestShape, stageShape]) {
    const exact = shape.bounds.flatMap((bound) => [bound, bound * (1 + 1e-9), bound * (1 - 1e-9)]);
    const value = fc.oneof(fc.constantFrom(0, ...exact), fc.double({ min: 0, max: 1e4, noNaN: true }));
    fc.assert(
      fc.property(value, (seconds) => {
        const cells = new Float64Array(shape.cells + 2);
        observe(cells, 1, shape, seconds * 1e6);
        const expected = shape.bounds.findIndex((bound) => seconds * 1e6 <= bound * 1e6);
        const bucket = expected < 0 ? shape.bounds.length : expected;
        assert.equal(cells[1 + bucket], 1, `${seconds} s`);
        assert.equal(cells[shape.cells], seconds * 1e6);
        assert.equal(cells[0] + cells[shape.cells + 1], 0, 'wrote outside');
      }),
      { numRuns: 2000 },
    );
  }
});

test('revisions are counted apart, over all rows, until another gets the track', () => {
  const slab = createMetricSlab(2);
  const [a, b] = [new MetricRow(slab, 0), new MetricRow(slab, 1)];
  a.revisionAnswered(5, 0, false, false);
  a.revisionAnswered(5, 1, true, false);
  b.revisionAnswered(5, 1, true, true);
  b.revisionAnswered(6, 0, false, true);
  const reader = new MetricReader(slab);
  assert.deepEqual(reader.revision(5, 0), { requests: 1, errors: 0, slow: 0 });
  assert.deepEqual(reader.revision(5, 1), { requests: 2, errors: 2, slow: 1 });
  reader.clearRevision(5, 1);
  assert.deepEqual(reader.revision(5, 1), { requests: 0, errors: 0, slow: 0 });
  assert.deepEqual(reader.revision(5, 0), { requests: 1, errors: 0, slow: 0 });
  assert.deepEqual(reader.revision(6, 0), { requests: 1, errors: 0, slow: 1 });
});

test('rows are summed, each with its own order of status codes', () => {
  const slab = createMetricSlab(3);
  const [a, b] = [new MetricRow(slab, 0), new MetricRow(slab, 2)];
  a.answered(5, 200, 10, 100, 1000);
  a.answered(5, 404, 20, 1, 2);
  b.answered(5, 503, 30, 0, 0);
  b.answered(5, 200, 40, 0, 0);
  b.answered(6, 201, 40, 0, 0);
  a.add(5, functionCounter.cpuSeconds, 0.25);
  b.add(5, functionCounter.cpuSeconds, 0.5);
  const reading = new MetricReader(slab).function(5);
  assert.deepEqual(Object.fromEntries(reading.codes), { 200: 2, 404: 1, 503: 1 });
  assert.equal(reading.counters[functionCounter.requestBytes], 101);
  assert.equal(reading.counters[functionCounter.responseBytes], 1002);
  assert.equal(reading.counters[functionCounter.cpuSeconds], 0.75);
  assert.equal(reading.duration.count, 4);
  assert.ok(Math.abs(reading.duration.sumSeconds - 100e-6) < 1e-12);
});

test('a replaced thread goes on in the row of the one that died', () => {
  const slab = createMetricSlab(1);
  new MetricRow(slab, 0).answered(1, 418, 1, 0, 0);
  const next = new MetricRow(slab, 0);
  next.answered(1, 200, 1, 0, 0);
  next.answered(1, 418, 1, 0, 0);
  assert.deepEqual(Object.fromEntries(new MetricReader(slab).function(1).codes), { 200: 1, 418: 2 });
});

test('a guest that answers with every status there is cannot overflow the directory', () => {
  const slab = createMetricSlab(1);
  const row = new MetricRow(slab, 0);
  for (let code = 200; code < 600; code++) row.answered(3, code, 1, 0, 0);
  const { codes } = new MetricReader(slab).function(3);
  assert.equal(codes.size, 32);
  assert.equal(codes.get(0), 400 - 31);
  assert.equal(
    codes.values().reduce((sum, count) => sum + count, 0),
    400,
  );
  assert.equal(new MetricReader(slab).function(2).codes.size, 0, 'the neighbour is untouched');
  assert.equal(new MetricReader(slab).function(4).codes.size, 0);
});

test('a slot that is emptied for another function starts at zero, its neighbours do not', () => {
  const slab = createMetricSlab(2);
  const reader = new MetricReader(slab);
  for (const slot of [1, 2, 3]) new MetricRow(slab, slot % 2).answered(slot, 200, 5, 1, 1);
  reader.clearFunction(2);
  assert.deepEqual(
    [1, 2, 3].map((slot) => reader.function(slot).duration.count),
    [1, 0, 1],
  );
});

test('stages, rejections and thread counters', () => {
  const slab = createMetricSlab(2);
  const row = new MetricRow(slab, 1);
  row.stage(stage.limit, 0.08);
  row.rejected('bad-request');
  row.rejected('bad-request');
  row.addThread(threadCounter.connectionsAccepted, 3);
  const reading = new MetricReader(slab).threads();
  assert.equal(reading.stages[STAGES.indexOf('limit')]?.count, 1);
  assert.equal(Object.fromEntries(reading.rejections)['bad-request'], 2);
  assert.equal(reading.counters[threadCounter.connectionsAccepted], 3);
});

test('the stage numbers are the places in the stage list', () => {
  assert.deepEqual(Object.keys(stage), [...STAGES]);
  assert.deepEqual(
    Object.values(stage),
    STAGES.map((_, index) => index),
  );
});

const writer = `
  const { workerData, parentPort } = require('node:worker_threads');
  (async () => {
    const { MetricRow } = await import(workerData.slab);
    const row = new MetricRow(workerData.shared, workerData.row);
    for (let i = 0; i < 20000; i++) row.answered(9, 200 + (i % 3), 5, 1, 2);
    parentPort.postMessage('done');
  })();
`;

test('threads that write at once lose nothing, and a reader never sees a count fall', async () => {
  const shared = createMetricSlab(4);
  const slab = new URL('./metric-slab.ts', import.meta.url).href;
  const running = new Set([0, 1, 2, 3]);
  const workers = [0, 1, 2, 3].map(
    (row) => new Worker(writer, { eval: true, workerData: { slab, shared, row } }),
  );
  workers.forEach((worker, row) => worker.once('message', () => running.delete(row)));
  const reader = new MetricReader(shared);
  let before = 0;
  while (running.size > 0) {
    const { count } = reader.function(9).duration;
    assert.ok(count >= before);
    before = count;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const reading = reader.function(9);
  assert.equal(reading.duration.count, 80_000);
  assert.equal(reading.counters[functionCounter.responseBytes], 160_000);
  await Promise.all(workers.map((worker) => worker.terminate()));
});

test('docs/reference/metrics.md lists the metrics that there are', () => {
  const file = new URL('../../docs/reference/metrics.md', import.meta.url);
  assert.equal(readFileSync(file, 'utf8'), metricsReference());
});
