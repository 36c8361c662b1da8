import assert from 'node:assert/strict';
import type { DrivenCall, Outcome } from '../../support/pod/driver.ts';

export interface Counts {
  returned: number;
  trapped: number;
  /** Accesses just behind the end of the memory, which a pod lets through (docs/adr/0004). */
  slack: number;
  restored: number;
}

const OUTSIDE = /memory access out of bounds/;

/** Asserts that the outcomes are those of brand-new instances of the original module, one for each request. */
export function checkAgainstFresh(
  guest: Uint8Array<ArrayBuffer>,
  calls: readonly DrivenCall[],
  outcomes: readonly Outcome[],
  counts: Counts,
): void {
  const module = new WebAssembly.Module(guest);
  const [initial, ...found] = outcomes;
  assert.equal(initial?.status, 0, 'initialisation');
  assert.equal(found.length, calls.length, 'every call has an outcome');
  let instance: WebAssembly.Instance | null = null;
  let isOver = false;
  calls.forEach(({ func, first, second, isLast }, index) => {
    instance ??= new WebAssembly.Instance(module, { mayfly: { log: () => undefined } });
    const { status, result } = found[index] as Outcome;
    if (!isOver) {
      const expected = call(instance.exports, func, first, second);
      if (expected instanceof Error) {
        counts.trapped++;
        isOver = true;
        if (status === 0 && OUTSIDE.test(expected.message)) counts.slack++;
        else assert.equal(status, 1, `call ${index}: ${expected.message}`);
      } else if (status === 0) {
        counts.returned++;
        assert.equal(result, expected, `call ${index}`);
      } else assert.fail(`call ${index} ended with ${status}`);
    }
    if (!isLast) return;
    counts.restored++;
    instance = null;
    isOver = false;
  });
}

function call(exports: WebAssembly.Exports, func: number, first: number, second: number): bigint | Error {
  try {
    (exports['alloc'] as (func: number) => number)(func);
    return BigInt.asUintN(64, (exports['handle'] as (a: number, b: number) => bigint)(first, second));
  } catch (error) {
    return error as Error;
  }
}
