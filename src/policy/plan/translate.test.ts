import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PolicyEvaluationError } from '../types.ts';
import { PlanFallback } from './fallback.ts';
import { instantiatePlan } from './instantiate.ts';
import { translatePlan } from './translate.ts';

const local = (value: number) => ({ type: 'local', value });
const text = (value: number) => ({ type: 'string_index', value });
const statement = (type: string, stmt: object) => ({ type, stmt });
const block = (...stmts: object[]) => ({ stmts });

/** A plan whose entrypoint `e` has the value of one rule. The rule's value is local 2. */
function planOf(strings: string[], ruleBlocks: object[], name = 'g0.data.e') {
  const result = strings.length;
  const args = [local(0), local(1)];
  const entrypoint = block(
    statement('CallStmt', { func: name, args, result: 2 }),
    statement('MakeObjectStmt', { target: 3 }),
    statement('ObjectInsertStmt', { object: 3, key: text(result), value: local(2) }),
    statement('ResultSetAddStmt', { value: 3 }),
  );
  const end = block(statement('ReturnLocalStmt', { source: 2 }));
  return {
    static: { strings: [...strings, 'result'].map((value) => ({ value })) },
    plans: { plans: [{ name: 'e', blocks: [entrypoint] }] },
    funcs: { funcs: [{ name, params: [0, 1], return: 2, blocks: [...ruleBlocks, end], path: ['g0', 'e'] }] },
  };
}

function decide(plan: unknown, data: unknown = {}) {
  const translation = translatePlan(plan);
  if ('refused' in translation) throw new Error(translation.refused);
  return instantiatePlan(translation.javascript, data).entrypoint('e');
}

const member = (name: string) =>
  decide(planOf([name], [block(statement('DotStmt', { source: local(0), key: text(0), target: 2 }))]));

for (const name of [
  '__proto__',
  'constructor',
  'toString',
  'length',
  'hasOwnProperty',
  '0',
  'size',
  'get',
  'coefficient',
]) {
  test(`${name} is a member of the input like any other`, () => {
    const get = member(name);
    assert.equal(get({}), undefined);
    assert.equal(get([1, 2]), undefined);
    assert.equal(get('text'), undefined);
    assert.equal(get(JSON.parse(`{${JSON.stringify(name)}: 7}`)), 7);
  });
}

test('a polluted prototype is not part of the input', () => {
  const get = member('role');
  assert.equal(get({}), undefined);
  try {
    // oxlint-disable-next-line no-extend-native -- the attack itself
    Object.defineProperty(Object.prototype, 'role', { value: 'admin', configurable: true });
    assert.equal(get({}), undefined);
    assert.equal(get({ role: 'user' }), 'user');
  } finally {
    delete (Object.prototype as { role?: string }).role;
  }
});

test('names and strings of a plan never become code', () => {
  const hostile = '`"\'\\\n\u2028*/ }); globalThis.broken = true; ({//${globalThis.broken = true}';
  const plan = planOf(
    [hostile],
    [block(statement('AssignVarStmt', { source: text(0), target: 2 }))],
    hostile,
  );
  plan.plans.plans[0]!.name = hostile;
  const translation = translatePlan(plan);
  assert.ok('javascript' in translation);
  assert.equal(instantiatePlan(translation.javascript, {}).entrypoint(hostile)({}), hostile);
  assert.equal('broken' in globalThis, false);
});

test('the input may change between decisions', () => {
  const get = member('role');
  const input = { role: 'user' };
  assert.equal(get(input), 'user');
  input.role = 'admin';
  assert.equal(get(input), 'admin');
});

const twoValues = (second: number) =>
  planOf(
    ['1', String(second)],
    [0, 1].map((index) =>
      block(
        statement('MakeNumberRefStmt', { Index: index, target: 3 }),
        statement('AssignVarOnceStmt', { source: local(3), target: 2 }),
      ),
    ),
  );

test('two different values of one rule are an error, two equal ones are not', () => {
  assert.equal(decide(twoValues(1))({}), 1);
  assert.throws(() => decide(twoValues(2))({}), PolicyEvaluationError);
});

const refusal = (plan: unknown) => (translatePlan(plan) as { refused: string }).refused;
const call = (func: string) => planOf([], [block(statement('CallStmt', { func, args: [], result: 2 }))]);

test('what is malformed or unknown is refused with its name', () => {
  assert.equal(refusal(call('http.send')), 'the builtin http.send');
  assert.equal(refusal(call('constructor')), 'the builtin constructor');
  assert.match(refusal(null), /^a malformed plan/);
  assert.match(refusal(planOf([], [block(statement('EvilStmt', {}))])), /^a malformed plan/);
  assert.match(
    refusal(planOf([], [block(statement('ReturnLocalStmt', { source: '0;evil()' }))])),
    /^a malformed plan/,
  );
  assert.match(
    refusal(planOf([], [block(statement('ReturnLocalStmt', { source: 1.5 }))])),
    /^a malformed plan/,
  );
  assert.equal(
    refusal(planOf([], [block(statement('BreakStmt', { index: 9 }))])),
    'a jump that leads nowhere',
  );
  const missing = planOf([], [block(statement('AssignVarStmt', { source: text(99), target: 2 }))]);
  assert.equal(refusal(missing), 'a string that the plan does not hold');
});

test('a decision that JavaScript does not compute exactly is left to the other form', () => {
  const dot = (key: number, target: number) =>
    statement('DotStmt', { source: local(0), key: text(key), target });
  const divide = statement('CallStmt', { func: 'div', args: [local(3), local(4)], result: 2 });
  const plan = planOf(['a', 'b'], [block(dot(0, 3), dot(1, 4), divide)]);
  const translation = translatePlan(plan);
  assert.ok('javascript' in translation);
  assert.throws(
    () => instantiatePlan(translation.javascript, {}).entrypoint('e')({ a: 1, b: 3 }),
    PlanFallback,
  );
  const other = { entrypoint: (name: string) => (input: unknown) => [name, input] };
  const evaluator = instantiatePlan(translation.javascript, {}, () => other);
  assert.deepEqual(evaluator.entrypoint('e')({ a: 1, b: 3 }), ['e', { a: 1, b: 3 }]);
  assert.equal(evaluator.entrypoint('e')({ a: 7, b: 2 }), 3.5);
  assert.equal(evaluator.entrypoint('e')({ a: 7, b: 0 }), undefined);
  assert.equal(evaluator.entrypoint('e')({ a: '7', b: 2 }), undefined);
  assert.equal(evaluator.fallbacks, 1);
});
