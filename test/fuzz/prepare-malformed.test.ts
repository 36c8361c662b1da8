import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MayflyError } from '../../src/model/errors.ts';
import { inspect } from '../../src/runtime/prepare/inspect.ts';
import { prepare } from '../../src/runtime/prepare/prepare.ts';
import { assemble, guestModule } from './prepare/guest-module.ts';

const RUNS = Number(process.env['MAYFLY_FUZZ_RUNS'] ?? 200);
const CODES = new Set(['invalid-module', 'unsupported-feature', 'module-too-large']);
const options = { memoryBytes: 2 ** 26 };

type Mutation =
  | { readonly kind: 'set'; readonly at: number; readonly byte: number }
  | { readonly kind: 'remove' | 'repeat'; readonly at: number; readonly count: number };

const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const interesting = fc.oneof(
  fc.constantFrom(0x00, 0x01, 0x40, 0x7f, 0x80, 0xfb, 0xfc, 0xfd, 0xfe, 0xff),
  fc.nat(255),
);
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('set' as const), at, byte: interesting }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('remove' as const, 'repeat' as const),
      at,
      count: fc.nat(40),
    }),
  },
);

function mutate(bytes: Uint8Array, mutations: readonly Mutation[]): Uint8Array<ArrayBuffer> {
  let result = Uint8Array.from(bytes);
  for (const change of mutations) {
    const where = Math.floor(change.at * result.length);
    if (change.kind === 'set') result[where] = change.byte;
    else {
      const end = change.kind === 'remove' ? where + change.count : where;
      const repeated =
        change.kind === 'repeat' ? result.subarray(where, where + change.count) : new Uint8Array(0);
      result = Uint8Array.from([...result.subarray(0, where), ...repeated, ...result.subarray(end)]);
    }
  }
  return result;
}

test('a mutated module is refused cleanly, or prepared to a module that is valid as the mutated one is', (t) => {
  const counts = { invalid: 0, prepared: 0, refused: 0 };
  const mutants = fc.array(fc.array(mutation, { minLength: 1, maxLength: 4 }), {
    minLength: 50,
    maxLength: 50,
  });
  fc.assert(
    fc.property(guestModule, mutants, (guest, mutantMutations) => {
      const original = assemble(guest.text);
      for (const mutations of mutantMutations) {
        const mutant = mutate(original, mutations);
        inspectCleanly(mutant);
        if (!WebAssembly.validate(mutant)) {
          counts.invalid++;
          assert.throws(() => prepare(mutant, options), isRefusal);
        } else if (prepares(mutant)) counts.prepared++;
        else counts.refused++;
      }
    }),
    { numRuns: RUNS },
  );
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.invalid > 0 && counts.prepared > 0, 'the mutations were too mild or too strong');
});

test('any bytes are refused cleanly', () => {
  const preamble = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (tail, withPreamble) => {
      const bytes = Uint8Array.from(withPreamble ? [...preamble, ...tail] : tail);
      inspectCleanly(bytes);
      if (!WebAssembly.validate(bytes)) assert.throws(() => prepare(bytes, options), isRefusal);
    }),
    { numRuns: RUNS * 10 },
  );
});

function isRefusal(error: unknown): boolean {
  return error instanceof MayflyError && CODES.has(error.code);
}

function prepares(bytes: Uint8Array): boolean {
  try {
    return WebAssembly.validate(prepare(bytes, options).wasm);
  } catch (error) {
    if (isRefusal(error) && !(error as Error).message.includes('rewriting')) return false;
    throw error;
  }
}

function inspectCleanly(bytes: Uint8Array): void {
  try {
    inspect(bytes);
  } catch (error) {
    if (!(error instanceof MayflyError)) throw error;
  }
}
