import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roles, rolesData, shopNew, shopOld } from '../../test/support/policies.ts';
import { InputGenerator } from './input-generator.ts';
import { runTask } from './worker/run-task.ts';
import { WasmEvaluator } from './wasm-evaluator.ts';

test('generated inputs reach every decision, and a seed repeats them', async () => {
  for (const [text, entrypoint, data] of [
    [shopOld, 'serverless/allow', {}],
    [shopNew, 'serverless/allow', {}],
    [roles, 'gateway/authz/allow', rolesData],
  ] as const) {
    const request = { modules: { 'p.rego': text }, entrypoints: [entrypoint], tests: false };
    const { answer } = await runTask('compile', { request, data });
    const { plan, wasm } = answer;
    const module = new WebAssembly.Module(Uint8Array.fromBase64(wasm as string));
    const decide = new WasmEvaluator(module, data).entrypoint(entrypoint);
    const inputs = new InputGenerator(plan, data, 3);
    const again = new InputGenerator(plan, data, 3);
    const decisions = new Set<unknown>();
    for (let i = 0; i < 1000; i++) {
      const input = inputs.next();
      assert.deepEqual(again.next(), input);
      decisions.add(decide(input));
    }
    assert.deepEqual([...decisions].toSorted(), [false, true]);
  }
});
