/**
 * `npm test`: every test of the project, by node's own runner. Arguments are files or patterns to run instead.
 * With CI=true a part that a test needs and cannot get is a failure; without it the run ends by naming what it could not test.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const wanted = process.argv.slice(2);
const files = globSync(
  wanted.length > 0 ? wanted : ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
  {
    cwd: root,
  },
).toSorted();
if (files.length === 0) {
  console.error(`No test file matches ${wanted.join(' ')}.`);
  process.exit(2);
}
const scratch = mkdtempSync(join(tmpdir(), 'mayfly-test-'));
const untested = join(scratch, 'untested.txt');
const result = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=2', '--test-timeout=300000', ...files],
  { cwd: root, stdio: 'inherit', env: { ...process.env, MAYFLY_UNTESTED: untested } },
);
if (existsSync(untested)) {
  console.log('\nNot tested here, because a part is missing:');
  for (const line of new Set(readFileSync(untested, 'utf8').trim().split('\n'))) console.log(`  - ${line}`);
}
rmSync(scratch, { recursive: true, force: true });
process.exit(result.status ?? 1);
