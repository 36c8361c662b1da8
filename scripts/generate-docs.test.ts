import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { schemaTree, type SchemaNode } from '../src/config/tree.ts';
import { problems } from '../src/model/problems.ts';
import { generated } from './generate-docs.ts';

const root = join(import.meta.dirname, '..');

for (const [file, text] of Object.entries(generated())) {
  test(`${file} is what the sources say`, () => {
    assert.equal(readFileSync(join(root, file), 'utf8'), text, 'run node scripts/generate-docs.ts');
  });
}

test('every key of the configuration says what it means', () => {
  const silent: string[] = [];
  const visit = (node: SchemaNode, path: string) => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      if ((child.description ?? '') === '') silent.push(`${path}.${key}`);
      visit(child, `${path}.${key}`);
    }
    for (const child of [node.items, node.additionalProperties, ...(node.anyOf ?? [])]) {
      if (typeof child === 'object') visit(child, `${path}[]`);
    }
  };
  visit(schemaTree, '');
  assert.deepEqual(silent, []);
});

test('the error page lists every problem of the catalogue', () => {
  const page = generated()['docs/reference/errors.md'] ?? '';
  const listed = [...page.matchAll(/urn:problem-type:mayfly:([a-z0-9-]+)/g)].map(([, code]) => code);
  assert.deepEqual(listed, Object.keys(problems));
});
