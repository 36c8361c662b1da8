import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MayflyError } from '../../model/errors.ts';
import { countOutcomes, formatReport } from './format-report.ts';
import { testPolicy } from './test-policy.ts';

const policy = `package shop
allow if input.x == 1
in_time if time.now_ns() == 5
web := http.send({"method": "get", "url": "http://x"}).status
double(x) := x * 2
limit := data.limits.x
`;
const tests = `package shop_test
import data.shop
test_ok if shop.allow with input as {"x": 1}
test_ok if not shop.allow with input as {"x": 2}
test_wrong if shop.allow with input as {"x": 2}
test_not_true := "yes"
test_no_input if not input
todo_test_later if shop.allow
test_builtin_mocked if shop.web == 3 with http.send as {"status": 3}
test_clock_mocked if shop.in_time with time.now_ns as 5
test_function_mocked if shop.double(1) == 9 with shop.double as 9
test_data if shop.limit == 7
test_data_mocked if shop.limit == 4 with data.limits as {"x": 4}
test_not_mocked if shop.web == 200
test_cases[case.note] if {
    some case in [{"note": "one", "x": 1}, {"note": "two", "x": 2}]
    shop.allow with input as {"x": case.x}
}
`;
const old = `package old_test
test_old { 1 == 1 }
`;

function timeless(text: string): string {
  return text.replace(/ \([\d.]+(s|ms|µs)\)/g, '');
}

test('test rules mean what they mean in opa test', async () => {
  const files = { 'shop.rego': policy, 'shop_test.rego': tests, 'old_test.rego': old };
  const report = await testPolicy({ files, data: { limits: { x: 7 } } });
  const outcomes = Object.fromEntries(report.results.map(({ name, outcome }) => [name, outcome]));
  assert.deepEqual(outcomes, {
    test_ok: 'pass',
    'test_ok#01': 'pass',
    test_wrong: 'fail',
    test_not_true: 'fail',
    test_no_input: 'pass',
    todo_test_later: 'skip',
    test_builtin_mocked: 'pass',
    test_clock_mocked: 'pass',
    test_function_mocked: 'pass',
    test_data: 'pass',
    test_data_mocked: 'pass',
    test_not_mocked: 'error',
    test_cases: 'fail',
    test_old: 'pass',
  });
  const cases = report.results.find(({ name }) => name === 'test_cases')?.cases;
  assert.deepEqual(cases, [
    { name: 'one', passed: true },
    { name: 'two', passed: false },
  ]);
  assert.deepEqual(countOutcomes(report), { pass: 10, fail: 3, skip: 1, error: 1, total: 15 });

  const rule = '-'.repeat(80);
  assert.equal(
    timeless(formatReport(report)),
    `shop_test.rego:5:
data.shop_test.test_wrong: FAIL
shop_test.rego:6:
data.shop_test.test_not_true: FAIL
shop_test.rego:8:
data.shop_test.todo_test_later: SKIPPED
shop_test.rego:14:
data.shop_test.test_not_mocked: ERROR
  The policy calls http.send, which is not available here.
shop_test.rego:15:
data.shop_test.test_cases: FAIL
  two: FAIL
${rule}
PASS: 10/15
FAIL: 3/15
SKIPPED: 1/15
ERROR: 1/15
`,
  );
  const verbose = timeless(formatReport(report, { verbose: true }));
  assert.match(verbose, /^old_test\.rego:2:\ndata\.old_test\.test_old: PASS\n\nshop_test\.rego:3:\n/);
  assert.match(verbose, /data\.shop_test\.test_cases: FAIL\n {2}one: PASS\n {2}two: FAIL\n/);
});

test('files without tests report nothing; files that do not compile are an error', async () => {
  const report = await testPolicy({ files: { 'shop.rego': policy } });
  assert.deepEqual(report.results, []);
  assert.equal(formatReport(report), '');
  await assert.rejects(testPolicy({ files: { 'a_test.rego': 'package a\ntest_x if {' } }), (error) => {
    assert.ok(error instanceof MayflyError);
    assert.match(error.message, /a_test\.rego:2/);
    return true;
  });
});
