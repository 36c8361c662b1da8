import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixtureCases } from './cases.ts';
import { run } from './rego.ts';

test("OPA's own test cases: a translated policy gives what OPA gives", async () => {
  const { total, notRun, javascript } = await run(fixtureCases());
  assert.deepEqual(javascript.failed, []);
  assert.equal(javascript.excepted, 2);
  // What is refused runs as WebAssembly. That must not creep up unnoticed.
  assert.ok(javascript.passed >= 1480, `${javascript.passed} of ${total - notRun} cases passed`);
  assert.ok(javascript.fellBack <= 40, `${javascript.fellBack} cases fell back`);
});
