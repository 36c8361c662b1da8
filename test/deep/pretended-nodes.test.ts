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
  const costs = await measureFunctions((line) => t.diagnostic(line));
  const [created = 0, rest, changed = 0, after] = costs.map(({ requests }) => requests.writes);
  // A Deployment, a Service and a status each, and what the pods' coming changes in the status.
  assert.ok(created >= 3000, `${created} writes`);
  assert.equal(rest, 0, 'a steady state writes nothing');
  assert.ok(changed > 0 && changed < 50, `${changed} writes for one`);
  assert.equal(after, 0, 'and nothing again');
});
