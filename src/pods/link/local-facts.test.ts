import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalFacts } from './local-facts.ts';

const P = 3;

function marked(then: (facts: LocalFacts) => void): boolean {
  const facts = new LocalFacts();
  facts.wasMarked(P);
  then(facts);
  return facts.isMarked(P);
}

test('what was known before a block is known behind it, unless the local was set on some path', () => {
  const around = (kind: 'block' | 'if', isLeft: boolean, inner: (facts: LocalFacts) => void) =>
    marked((facts) => {
      facts.enterBlock(kind);
      if (isLeft) facts.branchesTo(0);
      inner(facts);
      facts.end();
    });
  for (const kind of ['block', 'if'] as const) {
    assert.equal(
      around(kind, true, () => undefined),
      true,
    );
    assert.equal(
      around(kind, true, (facts) => facts.wasSet(P)),
      false,
    );
    const setInside = (facts: LocalFacts) => {
      facts.enterBlock('block');
      facts.wasSet(P);
      facts.end();
    };
    assert.equal(around(kind, true, setInside), false);
  }
});

test('what a loop sets is not known where it begins', () => {
  assert.equal(
    marked((facts) => facts.enterLoop([P])),
    false,
  );
  assert.equal(
    marked((facts) => facts.enterLoop([P + 1])),
    true,
  );
});

test('what was found out on one path only is not known behind it', () => {
  const facts = new LocalFacts();
  facts.enterBlock('if');
  facts.wasMarked(P);
  facts.else();
  assert.equal(facts.isMarked(P), false);
  facts.end();
  assert.equal(facts.isMarked(P), false);
});
