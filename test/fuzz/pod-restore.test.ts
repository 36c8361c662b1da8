import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { needPart } from '../support/parts.ts';
import { makeTestFolder } from '../support/folder.ts';
import { linkDriven, runHere, runInWasmEdge } from '../support/pod/driver.ts';
import { assemble } from './prepare/guest-module.ts';
import { calls, podGuest } from './pod/guest.ts';
import { checkAgainstFresh, type Counts } from './pod/reference.ts';

const RUNS = Number(process.env['MAYFLY_FUZZ_RUNS'] ?? 300);
const WASMEDGE_RUNS = Math.ceil(RUNS / 5);

function check(runs: number, run: (pod: Uint8Array<ArrayBuffer>) => ReturnType<typeof runHere>): Counts {
  const counts: Counts = { returned: 0, trapped: 0, slack: 0, restored: 0 };
  fc.assert(
    fc.property(podGuest, calls, (guest, list) => {
      const bytes = assemble(guest.text);
      checkAgainstFresh(bytes, list, run(linkDriven(bytes, list)), counts);
    }),
    { numRuns: runs },
  );
  for (const [event, count] of Object.entries(counts))
    assert.ok(count > 0, `the generator never led to: ${event}`);
  return counts;
}

test('a linked guest does what a brand-new instance of it does, request after request', (t) => {
  t.diagnostic(JSON.stringify(check(RUNS, runHere)));
});

test('the same in WasmEdge', async (t) => {
  const wasmedge = await needPart(t, 'wasmedge');
  if (wasmedge === undefined) return;
  using folder = makeTestFolder();
  const counts = check(WASMEDGE_RUNS, (pod) => runInWasmEdge(wasmedge.paths.wasmedge, pod, folder.path));
  t.diagnostic(JSON.stringify(counts));
});
