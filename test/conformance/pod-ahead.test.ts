import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { checkCompiled, compileAhead, findWasmedge, hasMachineCode } from '../../src/pods/ahead.ts';
import { makeTestFolder } from '../support/folder.ts';
import { needPart } from '../support/parts.ts';
import { assembleText, linkDriven } from '../support/pod/driver.ts';

const LOOPS = 100_000;
const guest = assembleText(`(module (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 16))
  (func (export "handle") (param i32 i32) (result i64)
    (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i64.const 1)))`);
const pod = linkDriven(guest, [{ func: 0, first: LOOPS, second: 0, isLast: true }]);

/** How many instructions the interpreter executed. */
function interpreted(wasmedge: string, file: string): number {
  const { stdout, stderr } = spawnSync(wasmedge, ['--enable-instruction-count', file], {
    encoding: 'latin1',
  });
  return Number(/instructions count: (\d+)/.exec(stdout + stderr)?.[1]);
}

test('a compiled pod is machine code, not interpreted', async (t) => {
  const part = await needPart(t, 'wasmedge');
  if (part === undefined) return;
  const { wasmedge } = part.paths;
  using folder = makeTestFolder();
  const compiled = await compileAhead(wasmedge, pod);
  assert.ok(interpreted(wasmedge, folder.write('plain.wasm', pod)) > LOOPS);
  assert.ok(interpreted(wasmedge, folder.write('compiled.wasm', compiled)) < LOOPS);
});

test('machine code that WasmEdge would leave aside is found out', async (t) => {
  const part = await needPart(t, 'wasmedge');
  if (part === undefined) return;
  const { wasmedge } = part.paths;
  using folder = makeTestFolder();
  const compiled = Buffer.from(await compileAhead(wasmedge, pod));
  const section = compiled.lastIndexOf('\x08wasmedge') + 9;
  // What follows the name is the version of the format, the operating system and the architecture.
  for (const field of [0, 1, 2]) {
    const changed = Buffer.from(compiled);
    changed.writeUInt8(9, section + field);
    const file = folder.write(`changed-${field}.wasm`, changed);
    assert.ok(interpreted(wasmedge, file) > LOOPS, 'it is interpreted, and ends well');
    await assert.rejects(checkCompiled(wasmedge, file), /would interpret/);
  }
  await assert.rejects(checkCompiled(wasmedge, folder.write('plain.wasm', pod)), /no machine code in it/);
  await assert.rejects(
    checkCompiled(wasmedge, folder.write('short.wasm', compiled.subarray(0, -9))),
    /no machine code/,
  );
});

test('without WasmEdge there is one sentence that says what to do', () => {
  using folder = makeTestFolder({ wasmedge: 'not a program' });
  for (const env of [
    { PATH: folder.path },
    { MAYFLY_WASMEDGE: '/nowhere/wasmedge', PATH: folder.path },
    {},
  ]) {
    assert.throws(
      () => findWasmedge(env),
      /no wasmedge program.*Install WasmEdge 0\.14, set MAYFLY_WASMEDGE/,
    );
  }
});

test('a program that is not WasmEdge does not pass for it', async () => {
  await assert.rejects(compileAhead('/bin/true', pod), /Cannot compile ahead of time/);
  await assert.rejects(compileAhead('/bin/false', pod), /does not compile the pod/);
  assert.equal(hasMachineCode(pod), false);
});
