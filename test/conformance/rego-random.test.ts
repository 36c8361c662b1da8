import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare } from './rego-random.ts';

test('twenty policies decide alike as JavaScript and as WebAssembly, whatever the input', async () => {
  const { policies, cases, defined, fallbacks, wasmFailures, disagreements } = await compare(
    20_000,
    7,
    false,
  );
  assert.equal(policies.length, 20);
  assert.deepEqual(disagreements, []);
  assert.ok(defined > cases / 2, `only ${defined} decisions say anything`);
  // Otherwise the comparison would compare WebAssembly with itself, or with nothing.
  assert.ok(
    fallbacks + wasmFailures < cases / 20,
    `${fallbacks} fallbacks, ${wasmFailures} failures of WebAssembly`,
  );
});
