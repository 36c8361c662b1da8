import assert from 'node:assert/strict';
import { test } from 'node:test';
import { yamlIsValid, yamlMarshal, yamlUnmarshal } from './yaml.ts';

test('reads YAML as JSON has it', () => {
  assert.deepEqual(yamlUnmarshal('a: [1, true, yes, null]\nb: {c: "x"}\n1: one'), {
    a: [1, true, 'yes', null],
    b: { c: 'x' },
    '1': 'one',
  });
  assert.equal(yamlUnmarshal(''), null);
  assert.deepEqual(yamlUnmarshal('base: &b {x: 1}\nc: {<<: *b, y: 2}'), {
    base: { x: 1 },
    c: { x: 1, y: 2 },
  });
});

test('what is no YAML, or has keys that JSON cannot have, is undefined', () => {
  for (const text of ['a: [1', 'a: b: c', '? [a, b]\n: 1', '{a: 1}}', '\t- x', 'a: *nobody']) {
    assert.equal(yamlIsValid(text), false, text);
    assert.equal(yamlUnmarshal(text), undefined, text);
  }
});

test('aliases cannot blow a small text up', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 12; i++)
    lines.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  assert.equal(yamlUnmarshal(lines.join('\n')), undefined);
});

test('writes sorted block YAML', () => {
  assert.equal(yamlMarshal({ b: [1, { c: 'x' }], a: null }), 'a: null\nb:\n  - 1\n  - c: x\n');
  assert.deepEqual(yamlUnmarshal(yamlMarshal({ yes: 'yes', n: '1', t: 'true', e: '' })), {
    yes: 'yes',
    n: '1',
    t: 'true',
    e: '',
  });
});
