import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileAhead } from '../../src/pods/ahead.ts';
import { makeTestFolder } from '../support/folder.ts';
import { needPart } from '../support/parts.ts';
import { linkDriven, type Outcome, runHere, runInWasmEdge } from '../support/pod/driver.ts';
import { attemptCalls, attempts, trapGuest } from '../support/pod/trap-guest.ts';

const pod = linkDriven(trapGuest, attemptCalls);

function check([initial, ...outcomes]: readonly Outcome[]): void {
  assert.equal(initial?.status, 0);
  for (const [index, { name, status }] of attempts.entries()) {
    assert.equal(outcomes[index * 2]?.status, status, name);
    assert.deepEqual(outcomes[index * 2 + 1], { status: 0, result: 2n }, `the request after ${name}`);
  }
}

test('whatever traps or does not end is over with its request', () => check(runHere(pod)));

test('the same in WasmEdge, interpreted', async (t) => {
  const wasmedge = await needPart(t, 'wasmedge');
  if (wasmedge === undefined) return;
  using folder = makeTestFolder();
  check(runInWasmEdge(wasmedge.paths.wasmedge, pod, folder.path));
});

test('the same in WasmEdge, compiled ahead of time', async (t) => {
  const wasmedge = await needPart(t, 'wasmedge');
  if (wasmedge === undefined) return;
  using folder = makeTestFolder();
  const compiled = await compileAhead(wasmedge.paths.wasmedge, pod);
  check(runInWasmEdge(wasmedge.paths.wasmedge, compiled, folder.path));
});
