import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import {
  conflict,
  hosted,
  patterns,
  roles,
  rolesData,
  shopNew,
  shopOld,
} from '../../test/support/policies.ts';
import type { CompilerAnswer } from './compiler/protocol.ts';
import { InputGenerator } from './input-generator.ts';
import { runTask } from './worker/run-task.ts';
import { outcome } from './translate.ts';
import { PolicyEvaluationError } from './types.ts';
import { WasmEvaluator } from './wasm-evaluator.ts';

/** Its ES module exports something else than its types say. */
const { loadPolicySync } = createRequire(import.meta.url)(
  '@open-policy-agent/opa-wasm',
) as typeof import('@open-policy-agent/opa-wasm');

/** Raised for the soak: MAYFLY_SOAK=1000000 node --test … */
const EVALUATIONS = Number(process.env['MAYFLY_SOAK'] ?? 20_000);

interface Loaded {
  readonly answer: CompilerAnswer;
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly module: WebAssembly.Module;
}

async function load(text: string, entrypoints: readonly string[], data: unknown = {}): Promise<Loaded> {
  const request = { modules: { 'policy.rego': text }, entrypoints, tests: false };
  const { answer } = await runTask('compile', { request, data });
  const wasm = Uint8Array.fromBase64(answer.wasm as string);
  return { answer, wasm, module: new WebAssembly.Module(wasm) };
}

const policies = {
  shopOld: { text: shopOld, entrypoints: ['serverless/allow'], data: {} },
  shopNew: { text: shopNew, entrypoints: ['serverless/allow'], data: {} },
  roles: { text: roles, entrypoints: ['gateway/authz/allow'], data: rolesData },
  patterns: { text: patterns, entrypoints: ['patterns', 'patterns/allow'], data: {} },
  hosted: { text: hosted, entrypoints: ['hosted'], data: {} },
  conflict: { text: conflict, entrypoints: ['conflict/level', 'conflict/allow'], data: {} },
};
type Name = keyof typeof policies;
const loaded = {} as Record<Name, Loaded>;

/** The SDK takes null, false, 0 and "" for no input at all (facts: its hole), and formats sprintf in its own way. */
function sdk(name: Name, entrypoint: string): (input: unknown) => unknown {
  const policy = loadPolicySync(loaded[name].wasm, { initial: 16, maximum: 512 });
  policy.setData(policies[name].data);
  return (input) => (policy.evaluate(input, entrypoint)[0] as { result?: unknown } | undefined)?.result;
}

function nested(depth: number): unknown {
  return JSON.parse('{"a":'.repeat(depth) + '1' + '}'.repeat(depth));
}

before(async () => {
  for (const [name, { text, entrypoints, data }] of Object.entries(policies)) {
    loaded[name as Name] = await load(text, entrypoints, data);
  }
});

const order = {
  method: 'POST',
  path: '/api/v1/orders/abc-1',
  tags: ['b', 'a', 'b'],
  claims: { roles: ['clerk'], scopes: ['orders'], sub: 'u1', exp: 20 },
  time: 10,
  rate_limit: { remaining: 1 },
};

describe('the Wasm host', () => {
  test('gives values as JSON would have them, undefined where Rego says so', () => {
    const policy = new WasmEvaluator(loaded.patterns.module, {});
    assert.deepEqual(policy.entrypoint('patterns')(order), {
      allow: true,
      tags: ['a', 'b'],
      upper_tags: ['A', 'B'],
      pairs: [
        [0, 'b'],
        [1, 'a'],
        [2, 'b'],
      ],
      lookup: { a: 1, b: 1 },
    });
    const denied = policy.entrypoint('patterns')({ path: '/x', tags: ['é', 1, { a: null }] }) as {
      reason: string;
    };
    assert.equal(denied.reason, 'denied /x ["é", 1, {"a": null}] (3)');
    const level = new WasmEvaluator(loaded.conflict.module, {}).entrypoint('conflict/level');
    assert.equal(level({ a: true }), 1);
    assert.equal(level({}), undefined);
  });

  test('reads data', () => {
    const decide = new WasmEvaluator(loaded.roles.module, rolesData).entrypoint('gateway/authz/allow');
    const request = { ...order, path: '/orders/7' };
    assert.equal(decide(request), true);
    assert.equal(decide({ ...request, claims: { ...order.claims, sub: 'mallory' } }), false);
    const withoutData = new WasmEvaluator(loaded.roles.module, {}).entrypoint('gateway/authz/allow');
    assert.equal(withoutData(request), false);
  });

  test('lends the builtins that the module does not have', () => {
    const evaluate = new WasmEvaluator(loaded.hosted.module, {}).entrypoint('hosted');
    assert.deepEqual(evaluate({ pattern: ',+', text: 'a,,b', yaml: 'x: [1, two]' }), {
      parts: ['a', 'b'],
      text: 'a,,b|002.2|{"a", "b"}|123456789012345678901',
      document: { x: [1, 'two'] },
      valid: true,
      back: { a: [1, 'a,,b'] },
    });
    // A wrong argument is undefined, as everywhere in Rego; nothing else fails with it.
    const wrong = evaluate({ pattern: '(', text: 1, yaml: '[' }) as Record<string, unknown>;
    assert.equal(wrong['undefined_split'], true);
    assert.equal(wrong['valid'], false);
    assert.ok(!('parts' in wrong) && !('document' in wrong));
    assert.throws(() => evaluate({ pattern: '\\Qa\\E', text: 'a' }), /cannot use this pattern/);
  });

  test('never takes an input that it cannot read for an absent one', () => {
    const allow = new WasmEvaluator(loaded.conflict.module, {}).entrypoint('conflict/allow');
    // `not input.blocked` holds for these: they are inputs, and have no such member.
    for (const input of [{}, null, false, 0, '', [], 'x']) assert.equal(allow(input), true);
    assert.equal(allow({ blocked: true }), false);
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    for (const input of [undefined, () => 1, Symbol('x')])
      assert.throws(() => allow(input), PolicyEvaluationError);
    for (const input of [{ blocked: Number.NaN }, { deep: [Infinity] }, cyclic, { big: 1n }]) {
      assert.throws(() => allow(input));
    }
  });

  test('denies what nests too deep, and is right afterwards, however often it happens', () => {
    const allow = new WasmEvaluator(loaded.conflict.module, {}).entrypoint('conflict/allow');
    assert.equal(allow(nested(1000)), true);
    const deep = nested(6000);
    for (let i = 0; i < 200; i++) {
      try {
        assert.equal(allow({ blocked: true, deep }), false);
      } catch (error) {
        assert.ok(error instanceof PolicyEvaluationError, String(error));
      }
      assert.equal(allow({ blocked: true }), false);
    }
    assert.throws(() => allow({ deep: nested(100_000) }), /nests too deep/);
    assert.equal(allow({}), true);
  });

  test('a policy that contradicts itself is an error, not a decision', () => {
    const level = new WasmEvaluator(loaded.conflict.module, {}).entrypoint('conflict/level');
    // OPA's own SDK is broken for good after 512 aborts: each leaves the module's stack pointer lower.
    for (let i = 0; i < 600; i++) {
      assert.throws(() => level({ a: true, b: true }), /conflict/);
      assert.equal(level({ b: true }), 2);
    }
  });

  test('memory has a ceiling, and an input beyond it leaves the policy usable', () => {
    const policy = new WasmEvaluator(loaded.shopOld.module, {}, { maxPages: 32 });
    const decide = policy.entrypoint('serverless/allow');
    const allowed = {
      method: 'POST',
      path: '/api/function',
      user: { role: 'user' },
      rate_limit: { remaining: 1 },
    };
    const large = Array.from({ length: 200_000 }, (_, i) => i);
    for (let i = 0; i < 5; i++) {
      assert.throws(() => decide({ ...allowed, large }), /opa_malloc: failed/);
      assert.equal(decide(allowed), true);
    }
    assert.ok(policy.memoryBytes <= 32 * 65536);
  });

  test(`memory stays flat over ${EVALUATIONS} evaluations with changing inputs`, () => {
    const policy = new WasmEvaluator(loaded.patterns.module, {});
    const decide = policy.entrypoint('patterns/allow');
    const run = (from: number, count: number) => {
      for (let i = from; i < from + count; i++) {
        const remaining = i % 3;
        const path = `/api/v${i % 7}/orders/${i.toString(36)}${i % 5 === 0 ? '/' : ''}`;
        const expected = remaining > 0 && i % 5 !== 0;
        assert.equal(decide({ path, rate_limit: { remaining }, tags: [path, i] }), expected);
      }
    };
    run(0, 2000);
    const settled = policy.memoryBytes;
    run(2000, EVALUATIONS);
    assert.equal(policy.memoryBytes, settled);
  });

  test('without input, only by name', () => {
    const policy = new WasmEvaluator(loaded.conflict.module, {});
    assert.equal(policy.evaluateWithoutInput('conflict/allow'), true);
    assert.equal(policy.evaluateWithoutInput('conflict/level'), undefined);
  });
});

describe('agrees with OPA’s own SDK', () => {
  for (const name of ['shopOld', 'shopNew', 'roles', 'conflict'] as const) {
    test(`${name}: generated and arbitrary inputs`, () => {
      const { data, entrypoints } = policies[name];
      const policy = new WasmEvaluator(loaded[name].module, data);
      const inputs = new InputGenerator(loaded[name].answer.plan, data, 7);
      const seen = new Set<string>();
      for (const entrypoint of entrypoints) {
        const [decide, reference] = [policy.entrypoint(entrypoint), sdk(name, entrypoint)];
        const check = (input: unknown) => {
          if (!input) return;
          const [ours, theirs] = [outcome(decide, input), outcome(reference, input)];
          seen.add(JSON.stringify(ours));
          assert.ok(isDeepStrictEqual(ours, theirs), JSON.stringify({ input, ours, theirs }));
        };
        for (let i = 0; i < 2000; i++) check(inputs.next());
        fc.assert(fc.property(fc.jsonValue(), check), { numRuns: 300 });
      }
      assert.ok(seen.size > 1, 'the inputs must lead to more than one decision');
    });
  }
});
