import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conflict, shopOld } from '../../test/support/policies.ts';
import { evaluatePolicy } from './eval.ts';
import { PolicyEvaluationError } from './types.ts';

test('gives the value of a rule or of a package', async () => {
  const files = { 'shop.rego': shopOld };
  const input = {
    method: 'POST',
    path: '/api/function',
    user: { role: 'user' },
    rate_limit: { remaining: 1 },
  };
  assert.equal(await evaluatePolicy({ files, rule: 'data.serverless.allow', input }), true);
  assert.deepEqual(await evaluatePolicy({ files, rule: 'data.serverless', input: null }), { allow: false });
});

test('tells undefined and failure apart from false', async () => {
  const files = { 'conflict.rego': conflict };
  assert.equal(await evaluatePolicy({ files, rule: 'data.conflict.level', input: {} }), undefined);
  assert.equal(await evaluatePolicy({ files, rule: 'data.conflict.level' }), undefined);
  await assert.rejects(
    evaluatePolicy({ files, rule: 'data.conflict.level', input: { a: true, b: true } }),
    PolicyEvaluationError,
  );
});

test('a rule that does not exist is named, with the nearest', async () => {
  await assert.rejects(
    evaluatePolicy({ files: { 'shop.rego': shopOld }, rule: 'data.serverless.alow', input: {} }),
    /no rule data\.serverless\.alow.*Did you mean data\.serverless\.allow\?/,
  );
});
