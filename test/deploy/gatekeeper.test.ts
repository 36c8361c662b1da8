import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { part } from '../../scripts/parts/part.ts';
import { missingPart } from '../support/parts.ts';

const folder = join(import.meta.dirname, '../../deploy/gatekeeper');

test('every template, constraint and case is in the suite', () => {
  const suite = readFileSync(join(folder, 'suite.yaml'), 'utf8');
  const files = globSync('{template,constraint}-*.yaml', { cwd: folder }).concat(
    globSync('cases/*.yaml', { cwd: folder }),
  );
  assert.ok(files.length > 20);
  assert.deepEqual(
    files.filter((file) => !suite.includes(file)),
    [],
  );
});

test('gator passes the suite', async (t) => {
  const gator = await part('gator');
  if ('missing' in gator) return void missingPart(t, gator.missing);
  const { status, stdout, stderr } = spawnSync(gator.paths.gator, ['verify', '-v', folder], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
  const { tests } = parse(readFileSync(join(folder, 'suite.yaml'), 'utf8')) as {
    tests: { cases: unknown[] }[];
  };
  const cases = tests.reduce((sum, item) => sum + item.cases.length, 0);
  assert.equal(stdout.match(/^\s+--- PASS: /gm)?.length, cases);
});
