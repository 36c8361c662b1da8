import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { needPart } from '../support/parts.ts';
import { makeTestFolder } from '../support/folder.ts';
import { linkDriven, runHere, runInWasmEdge } from '../support/pod/driver.ts';
import { assemble } from './prepare/guest-module.ts';
import { calls, podGuest } from './pod/guest.ts';
import { localCalls, localGuest } from './pod/local-guest.ts';
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

test('what is known of a local holds on every path', () => {
  const counts: Counts = { returned: 0, trapped: 0, slack: 0, restored: 0 };
  fc.assert(
    fc.property(localGuest, localCalls, (text, list) => {
      const bytes = assemble(text);
      checkAgainstFresh(bytes, list, runHere(linkDriven(bytes, list)), counts);
    }),
    { numRuns: RUNS * 3 },
  );
  assert.equal(counts.slack, 0, 'an access outside went unnoticed');
  assert.ok(counts.returned > 0 && counts.trapped > 0);
});

test('a linked guest does in WasmEdge what a brand-new instance of it does', async (t) => {
  const wasmedge = await needPart(t, 'wasmedge');
  if (wasmedge === undefined) return;
  using folder = makeTestFolder();
  const counts = check(WASMEDGE_RUNS, (pod) => runInWasmEdge(wasmedge.paths.wasmedge, pod, folder.path));
  t.diagnostic(JSON.stringify(counts));
});
