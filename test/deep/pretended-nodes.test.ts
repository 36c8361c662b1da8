/** 1,000 Functions with 5,000 pods on twelve nodes that only pretend to run them (KWOK): the operator brings all, then rests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureFunctions } from '../../bench/lib/scaling-measures.ts';
import { needPart } from '../support/parts.ts';

test('5,000 pods of 1,000 Functions on 12 nodes, then rest, then one change', async (t) => {
  for (const found of [
    await needPart(t, 'kube'),
    await needPart(t, 'etcd'),
    await needPart(t, 'kubectl'),
    await needPart(t, 'kwok'),
  ])
    if (found === undefined) return;
  const [created, rest, changed, after] = await measureFunctions((line) => t.diagnostic(line));
  // A Deployment, a Service and a status each, and what the pods' coming changes in the status.
  assert.ok((created?.writes ?? 0) >= 3000, `${created?.writes} writes`);
  assert.equal(rest?.writes, 0, 'a steady state writes nothing');
  assert.ok((changed?.writes ?? 0) > 0 && (changed?.writes ?? 0) < 50, `${changed?.writes} writes for one`);
  assert.equal(after?.writes, 0, 'and nothing again');
});
