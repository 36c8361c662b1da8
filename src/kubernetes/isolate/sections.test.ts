import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { expand } from '../../config/substitute.ts';
import { literal, written } from './sections.ts';

const ENV = { SECRET: 'very-secret', A: 'a' };

test('what a person writes stays what it is, whatever looks like a variable in it', () => {
  const pieces = fc.constantFrom('$', '{', '}', '${SECRET}', '$${A}', '${', ':-', 'A', ' ');
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 8 }).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(text, (value) => {
      assert.deepEqual(expand(literal(value), ENV), { text: value, problems: [] });
    }),
    { numRuns: 2000 },
  );
});

test('keys and units become those of the file; names of a mapping stay', () => {
  const tree = {
    properties: {
      maxWait: { shape: { unit: 'milliseconds' } },
      cpuLimit: { shape: { unit: 'millicores' } },
      userNames: { additionalProperties: {} },
    },
  } as const;
  assert.deepEqual(
    written(tree, { maxWait: 90_000, cpuLimit: 1500, userNames: { zoeB: '${A}', annA: 'x' } }),
    {
      max_wait: '1m30s',
      cpu_limit: '1500m',
      user_names: { annA: 'x', zoeB: '$${A}' },
    },
  );
});
