import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createEpochMemory } from '../../src/runtime/epoch-memory.ts';
import { Instance } from '../../src/runtime/instance.ts';
import { monotonicMs } from '../../src/runtime/monotonic.ts';
import { type Prepared, prepare } from '../../src/runtime/prepare/prepare.ts';
import { RuntimeThread } from '../../src/runtime/runtime-thread.ts';
import { assemble, FUNCTIONS, guestModule, type GuestModule } from './prepare/guest-module.ts';
import { difference, stateOf } from './prepare/guest-state.ts';

const RUNS = Number(process.env['MAYFLY_FUZZ_RUNS'] ?? 300);
const BUDGET_MS = 60_000;

/** A request: calls one after another; `overrun`: the CPU budget ends at the first call of the host function. */
interface Request {
  readonly overrun: boolean;
  readonly calls: readonly { readonly func: number; readonly first: number; readonly second: number }[];
}

const argument = fc.oneof(
  fc.integer(),
  fc.nat(200_000),
  fc
    .tuple(fc.constantFrom(0, 1024, 65_536, 131_072, 196_608), fc.integer({ min: -17, max: 2 }))
    .map(([edge, near]) => edge + near),
);
const request: fc.Arbitrary<Request> = fc.record({
  overrun: fc.boolean(),
  calls: fc.array(fc.record({ func: fc.nat(FUNCTIONS - 1), first: argument, second: argument }), {
    minLength: 1,
    maxLength: 3,
  }),
});

test('after any sequence of calls, restore leaves what a brand-new instance has, or says that it cannot', (t) => {
  const bench = new Bench();
  fc.assert(
    fc.property(guestModule, fc.array(request, { minLength: 1, maxLength: 6 }), (guest, requests) =>
      bench.check(guest, requests),
    ),
    { numRuns: RUNS },
  );
  t.diagnostic(JSON.stringify(bench.counts));
  for (const [event, count] of Object.entries(bench.counts))
    assert.ok(count > 0, `the generator never led to: ${event}`);
});

/** Runs requests on a prepared instance and, as reference, on a fresh instance of the original module for each. */
class Bench {
  readonly counts = {
    returned: 0,
    trapped: 0,
    thrown: 0,
    overflowed: 0,
    killed: 0,
    restored: 0,
    discarded: 0,
  };
  readonly #thread = new RuntimeThread(createEpochMemory());
  readonly #epoch = new Int32Array(this.#thread.epoch.buffer);
  #overrun = false;

  check(guest: GuestModule, requests: readonly Request[]): void {
    const bytes = assemble(guest.text);
    const original = new WebAssembly.Module(bytes);
    const prepared = prepare(bytes, { memoryBytes: 2 ** 20 });
    const module = new WebAssembly.Module(prepared.wasm);
    let instance = this.#instantiate(prepared, module);
    try {
      for (const request of requests) {
        const reference = new WebAssembly.Instance(original, { env: { tick: () => undefined } });
        const fresh = stateOf(new WebAssembly.Instance(original, { env: { tick: () => undefined } }).exports);
        assert.equal(difference(stateOf(instance.exports), fresh), null, 'before the request');
        this.#runBoth(instance, reference.exports, request);
        const changed = memoryChanged(instance);
        if (instance.restore()) {
          this.counts.restored++;
          assert.equal(difference(stateOf(instance.exports), fresh), null, 'after restore');
        } else {
          this.counts.discarded++;
          assert.ok(changed || guest.changesTables, 'restore refused without a reason');
          instance.dispose();
          instance = this.#instantiate(prepared, module);
        }
        assert.equal(this.#thread.dirty.bytes.indexOf(1), -1, 'marks are left');
      }
    } finally {
      instance.dispose();
    }
  }

  #instantiate(prepared: Prepared, module: WebAssembly.Module): Instance {
    return Instance.create(this.#thread, module, prepared.info, { env: { tick: () => this.#tick() } });
  }

  #tick(): void {
    if (this.#overrun) Atomics.store(this.#epoch, 0, Math.ceil(monotonicMs() + BUDGET_MS * 2) | 0);
  }

  /** Until the guest is stopped or its stack is exhausted (its depth is not the same), both must do the same. */
  #runBoth(instance: Instance, reference: WebAssembly.Exports, { calls, overrun }: Request): void {
    Atomics.store(this.#epoch, 0, Math.floor(monotonicMs()) | 0);
    this.#overrun = overrun;
    instance.arm(BUDGET_MS);
    for (const { func, first, second } of calls) {
      const found = this.#call(instance.exports, func, first, second);
      if (instance.wasKilled()) {
        this.counts.killed++;
        assert.ok(overrun);
        assert.equal(found, 'RuntimeError: unreachable');
        return;
      }
      const expected = this.#call(reference, func, first, second);
      assert.equal(found, expected);
      if (deepened(instance.exports)) return;
      assert.equal(difference(stateOf(instance.exports), stateOf(reference)), null, 'during the request');
    }
  }

  #call(exports: WebAssembly.Exports, func: number, first: number, second: number): string {
    try {
      const result = (exports[`f${func}`] as (a: number, b: number) => number)(first, second);
      this.counts.returned++;
      return `returned ${result}`;
    } catch (error) {
      if (error instanceof WebAssembly.Exception) {
        this.counts.thrown++;
        return 'exception';
      }
      const { name, message } = error as Error;
      if (name === 'RangeError') this.counts.overflowed++;
      else this.counts.trapped++;
      return `${name}: ${message}`;
    }
  }
}

/** `$deep` leaves this mark. Its stack overflow may have been caught, at another depth. */
function deepened(exports: WebAssembly.Exports): boolean {
  return new DataView((exports['memory'] as WebAssembly.Memory).buffer).getInt32(5000, true) === -1;
}

function memoryChanged(instance: Instance): boolean {
  return (instance.exports['memory'] as WebAssembly.Memory).buffer.byteLength !== 65_536;
}
