import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { compilePolicy, toSpec } from '../compile.ts';
import { createEvaluator } from '../evaluator.ts';
import { type Decide, EmptyReplaceError } from '../types.ts';
import { guardReplace } from './guard-replace.ts';

const REGO = `package p
import rego.v1
replaced := replace(input.text, input.old, input.new)
all := strings.replace_n({input.old: input.new}, input.text)`;

let javascript: Decide;
let wasm: Decide;
let javascriptAll: Decide;
before(async () => {
  const compiled = await compilePolicy({ files: { 'p.rego': REGO }, entrypoints: ['p/replaced', 'p/all'] });
  assert.equal(compiled.javascriptRefused, null, 'both forms agree wherever both answer');
  const spec = await toSpec('p', compiled);
  javascript = createEvaluator(spec).entrypoint('p/replaced');
  javascriptAll = createEvaluator(spec).entrypoint('p/all');
  wasm = createEvaluator({ ...spec, javascript: null }).entrypoint('p/replaced');
});

test('replacing nothing by something comes to an end in both forms', () => {
  const input = { text: 'ab', old: '', new: '-' };
  assert.equal(javascript(input), '-a-b-', 'as Go’s strings.ReplaceAll');
  assert.throws(() => wasm(input), EmptyReplaceError);
  assert.throws(() => wasm({ ...input, text: '' }), EmptyReplaceError);
});

test('all other replacements are as before, also right after one that was refused', () => {
  for (const [text, old, by, result] of [
    ['abcabc', 'bc', 'x', 'axax'],
    ['abc', 'z', 'x', 'abc'],
    ['', 'a', 'x', ''],
    ['aaa', 'a', '', ''],
    ['äöü', 'ö', 'oe', 'äoeü'],
  ] as const) {
    assert.throws(() => wasm({ text, old: '', new: by }), EmptyReplaceError);
    assert.equal(wasm({ text, old, new: by }), result);
    assert.equal(javascript({ text, old, new: by }), result);
  }
  assert.equal(wasm({ text: 'a', old: 7, new: 'b' }), undefined, 'undefined for what is no text');
  assert.equal(wasm({ text: 'a', old: null, new: 'b' }), undefined);
});

test('JavaScript has no answer where a letter would be cut to pieces, and denies', () => {
  assert.equal(javascriptAll({ text: 'ab', old: '', new: '-' }), '-a-b-');
  assert.throws(() => javascriptAll({ text: '😀', old: '', new: '-' }), EmptyReplaceError);
  assert.throws(() => javascriptAll({ text: 'ä', old: '', new: '-' }), EmptyReplaceError);
});

test('a module without the function comes back as it is', () => {
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  assert.equal(guardReplace(empty), empty);
});
