/**
 * The peer of the benchmark that is built here with a compiler of its own call must keep up with the SDK:
 * a peer that cannot be built is missing in the table, and a reader would never know how it fares.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { compileCore } from '../../bench/peers/wasmtime.ts';

const SHOP = join(import.meta.dirname, '../../examples/flash-sale');

test('the shop function compiles as the core of a component', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-component-'));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(SHOP, folder, { recursive: true });
  await compileCore(folder);
  assert.ok(existsSync(join(folder, 'core.wasm')));
});
