import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import wabt from 'wabt';
import { blueprint, openControl, temporaryFolder } from '../../test/support/control.ts';
import type { MayflyError } from '../model/errors.ts';
import { EpochClock } from '../runtime/epoch-clock.ts';
import { createEpochMemory } from '../runtime/epoch-memory.ts';
import { createToolchain } from './toolchain.ts';

const epoch = createEpochMemory();
let clock: EpochClock;
before(async () => {
  clock = await EpochClock.start(epoch);
});
after(() => clock.stop());

/** A handler with these fields added; it answers nothing, which only a request would notice. */
async function handler(more = ''): Promise<Uint8Array> {
  const { parseWat } = await wabt();
  const module = parseWat(
    'f.wat',
    `(module ${more} (memory (export "memory") 1)
       (func (export "alloc") (param i32) (result i32) i32.const 1024)
       (func (export "handle") (param i32 i32) (result i64) i64.const 0))`,
  );
  return module.toBinary({}).buffer;
}

async function deploy(wasm: Uint8Array, settings: unknown = {}) {
  using folder = temporaryFolder();
  using control = await openControl(folder.path, createToolchain({ epoch }));
  await control.plane.follow(blueprint());
  return await control.plane.deploy({
    function: 'f',
    source: { type: 'upload', wasm, label: 'test' },
    settings,
    percent: 100,
    actor: 'test',
  });
}

async function refusal(wasm: Uint8Array, settings?: unknown): Promise<MayflyError> {
  let refused: unknown = null;
  await deploy(wasm, settings).catch((error: unknown) => (refused = error));
  assert.notEqual(refused, null, 'it was deployed');
  return refused as MayflyError;
}

test('a handler deploys through the real rewriter and the real probe', async () => {
  const { revision } = await deploy(await handler());
  assert.equal(revision.kind, 'handler');
});

test('a module that traps, loops or grows without end while it starts is refused, and the process lives', async () => {
  const trap = await refusal(await handler('(func $s unreachable) (start $s)'));
  assert.match(trap.message, /^Cannot deploy "f", step probe: the module does not start: .*unreachable/);
  const loop = await refusal(await handler('(func $s (loop (br 0))) (start $s)'));
  assert.match(loop.message, /step probe: .*did not finish its initialisation in time/);
  const recursion = await refusal(await handler('(func $s (call $s)) (start $s)'));
  assert.match(recursion.message, /step probe: .*stack/);
});

test('imports outside the contract and modules that are no functions are refused by name', async () => {
  const imported = await refusal(await handler('(import "env" "system" (func (param i32)))'));
  assert.equal(imported.code, 'import-refused');
  assert.match(imported.message, /step validate: .*env\.system/);
  const { parseWat } = await wabt();
  const nothing = parseWat('n.wat', '(module (memory (export "memory") 1))').toBinary({}).buffer;
  assert.match((await refusal(nothing)).message, /step validate: The module is not a function/);
});

test('a module that needs more memory than its limit is refused', async () => {
  const refused = await refusal(await handler(), { memoryBytes: 4096 });
  assert.match(refused.message, /step prepare: /);
});

test('garbage with the right first bytes is refused by validate', async () => {
  const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 255, 255, 255]);
  assert.match((await refusal(bytes)).message, /step validate: /);
});
