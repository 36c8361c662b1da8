/** Fresh state of the wagi kind: whatever a program does, the next request finds what a brand-new instance has. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, mock, test } from 'node:test';
import fc from 'fast-check';
import type { RevisionSpec } from '../../src/model/function.ts';
import { requestFrameLength, writeRequestFrame } from '../../src/runtime/abi/request-frame.ts';
import { EpochClock } from '../../src/runtime/epoch-clock.ts';
import { createEpochMemory } from '../../src/runtime/epoch-memory.ts';
import type { Outcome, RequestSource } from '../../src/runtime/guest.ts';
import { Instance } from '../../src/runtime/instance.ts';
import { prepare } from '../../src/runtime/prepare/prepare.ts';
import { RuntimeThread } from '../../src/runtime/runtime-thread.ts';
import { WagiGuest } from '../../src/runtime/wagi-guest.ts';
import { WagiHost } from '../../src/runtime/wagi-host.ts';
import { requestParts } from '../support/guest.ts';
import { type Operation, OPERATIONS, script, type Step, WAGI_SCRIPT } from '../support/wagi-script.ts';
import { assemble } from '../support/wat.ts';

const RUNS = Number(process.env['MAYFLY_FUZZ_RUNS'] ?? 300);
const MAX_BODY = 100_000;
const MEMORY_BYTES = 8 * 65_536;
/** Their results differ from run to run. */
const CHANCE: ReadonlySet<Operation> = new Set(['random', 'clock', 'poll', 'dive']);

let clock: EpochClock;
let epoch: WebAssembly.Memory;
let original: WebAssembly.Module;
let revision: RevisionSpec;

before(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-wagi-'));
  await assemble(WAGI_SCRIPT, join(folder, 'script.wasm'));
  const wasm = readFileSync(join(folder, 'script.wasm'));
  rmSync(folder, { recursive: true });
  epoch = createEpochMemory();
  clock = await EpochClock.start(epoch);
  original = new WebAssembly.Module(wasm);
  const prepared = prepare(wasm, { memoryBytes: MEMORY_BYTES });
  revision = {
    id: 'script-1',
    function: 'script',
    number: 1,
    digest: '',
    kind: 'wagi',
    module: new WebAssembly.Module(prepared.wasm as BufferSource),
    prepared: prepared.info,
    limits: { memoryBytes: MEMORY_BYTES, maxResponseBodyBytes: MAX_BODY } as RevisionSpec['limits'],
    env: { GREETING: 'hello' },
  };
});
after(() => clock.stop());

/** A guest on a thread of its own, whose instance can be looked into. */
function createGuest(): { guest: WagiGuest; instance: Instance } {
  const create = mock.method(Instance, 'create');
  const guest = new WagiGuest(new WagiHost(new RuntimeThread(epoch)), revision);
  const instance = create.mock.calls[0]?.result as Instance;
  create.mock.restore();
  return { guest, instance };
}

function post(body: Buffer): RequestSource {
  const parts = requestParts({ method: 'POST', target: '/run?x=1', headers: [['Host', 'h']], body });
  return {
    frameLength: () => requestFrameLength(parts),
    writeFrame: (target, at) => writeRequestFrame(parts, target, at),
  };
}

function stateOf(exports: WebAssembly.Exports) {
  const table = exports['table'] as WebAssembly.Table;
  const value = (name: string) => (exports[name] as WebAssembly.Global).value as unknown;
  return {
    globals: [value('number'), value('big'), value('float')],
    table: Array.from({ length: table.length }, (_, index) => table.get(index) as unknown),
    memory: Buffer.from((exports['memory'] as WebAssembly.Memory).buffer),
  };
}

function brandNew() {
  const imports = WebAssembly.Module.imports(original).map(({ name }) => [name, assert.fail] as const);
  return stateOf(
    new WebAssembly.Instance(original, { wasi_snapshot_preview1: Object.fromEntries(imports) }).exports,
  );
}

function assertFresh(instance: Instance): void {
  const [found, expected] = [stateOf(instance.exports), brandNew()];
  assert.deepEqual(found.globals, expected.globals);
  assert.deepEqual(found.table, expected.table);
  assert.equal(found.memory.length, expected.memory.length);
  if (found.memory.equals(expected.memory)) return;
  const at = found.memory.findIndex((byte, index) => byte !== expected.memory[index]);
  assert.fail(`memory differs at ${at}`);
}

interface Answer {
  readonly outcome: Outcome;
  readonly text: string | null;
  readonly logs: readonly string[];
}

function answer(guest: WagiGuest, steps: readonly Step[], budgetMs = 60_000): Answer {
  const outcome = guest.run(post(script(...steps)), budgetMs);
  const { status, headers, body, bodyStart, bodyEnd } = guest.response;
  const text = `${status}\n${headers.toString('latin1')}\n${body.toString('latin1', bodyStart, bodyEnd)}`;
  const logs = (guest.logs ?? []).map(({ message }) => message);
  return { outcome, text: outcome === 'answered' ? text : null, logs };
}

const number = fc.oneof(
  fc.nat(40),
  fc.nat(MEMORY_BYTES + 10),
  fc.integer({ min: -2000, max: -1 }),
  fc.integer(),
  fc
    .tuple(fc.constantFrom(1024, 65_536, 131_072, 196_608, 2 ** 32), fc.integer({ min: -70, max: 2 }))
    .map(([edge, near]) => edge + near),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(fc.constantFrom(...OPERATIONS.slice(1, 6)), number, number) },
  { weight: 9, arbitrary: fc.tuple(fc.constantFrom(...OPERATIONS.slice(15)), number, number) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...OPERATIONS.slice(6, 12)), number, number) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('loop', 'overflow', 'dive'), number) },
);
const request = fc
  .tuple(fc.boolean(), fc.array(step, { maxLength: 8 }))
  .map(([withHead, steps]): Step[] => (withHead ? [['head'], ...steps] : steps));

test('whatever a program did, the next one meets what a brand-new instance has, and answers alike', (t) => {
  const seen = new Map<string, number>();
  let { guest, instance } = createGuest();
  fc.assert(
    fc.property(request, (steps) => {
      const operations = steps.map(([operation]) => operation);
      const loops = operations.includes('loop');
      const found = answer(guest, steps, loops ? 3 : undefined);
      if (!loops && !operations.some((operation) => CHANCE.has(operation))) {
        const reference = createGuest().guest;
        assert.deepEqual(found, answer(reference, steps));
        reference.dispose();
      }
      const restored = guest.restore();
      for (const event of [found.outcome, restored ? 'restored' : 'discarded'])
        seen.set(event, (seen.get(event) ?? 0) + 1);
      if (!restored) {
        guest.dispose();
        ({ guest, instance } = createGuest());
      }
      assertFresh(instance);
    }),
    { numRuns: RUNS * 5 },
  );
  t.diagnostic(JSON.stringify(Object.fromEntries(seen)));
  for (const event of [
    'answered',
    'trapped',
    'stack-overflow',
    'cpu-exceeded',
    'invalid-response',
    'restored',
    'discarded',
  ])
    assert.ok((seen.get(event) ?? 0) > 0, `the generator never led to: ${event}`);
});

test('a stack that ends within a host call leaves nothing behind', () => {
  const { guest, instance } = createGuest();
  const fits = (depth: number): boolean => {
    const { outcome } = answer(guest, [['head'], ['dive', depth, 2048]]);
    assert.ok(guest.restore());
    assertFresh(instance);
    return outcome === 'answered';
  };
  let [low, high] = [0, 1 << 20];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  for (let depth = low - 100; depth < low + 100; depth++) fits(depth);
});

test('output beyond the limit ends the program at once, even one that would loop', () => {
  const { guest, instance } = createGuest();
  const flood: Step[] = [
    ['head'],
    ['stdout', 0, 60_000],
    ['stdout', 0, 60_000],
    ['stdout', 0, 60_000],
    ['loop'],
  ];
  assert.equal(answer(guest, flood).outcome, 'response-too-large');
  assert.ok(guest.restore());
  assertFresh(instance);
  assert.equal(guest.response.body.length, 0, 'the buffer is not kept');
});
