import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './nearest.ts';

test('finds the word that was meant, and nothing where none is close', () => {
  assert.equal(nearest('alow', ['deny', 'allow', 'all']), 'allow');
  assert.equal(nearest('ALLOW', ['allow']), 'allow');
  assert.equal(nearest('x', ['allow', 'deny']), undefined);
  assert.equal(nearest('timeout', []), undefined);
});
