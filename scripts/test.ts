/**
 * `npm test`: every test of the project, by node's own runner. Arguments are files or patterns to run instead.
 * Tests that need parts beyond npm (scripts/parts) come last: while the others run, the parts are brought in the background.
 * Tests under test/deep take many minutes: they run when they are asked for only (`npm run test:deep`).
 * With CI=true a part that a test needs and cannot get is a failure; without it the run ends by naming what it could not test.
 * The last lines say what failed in any part of the run, and how many tests passed.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';

import type { ReportLine } from './test-failures.ts';

const LOWEST_PRIORITY = 19;
const LONGEST_MS = 420_000;
const LONGEST_DEEP_MS = 900_000;
const root = join(import.meta.dirname, '..');
const wanted = process.argv.slice(2);
const files = globSync(
  wanted.length > 0 ? wanted : ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
  { cwd: root, exclude: wanted.length > 0 ? [] : ['test/deep/**'] },
).toSorted();
if (files.length === 0) {
  console.error(`No test file matches ${wanted.join(' ')}.`);
  process.exit(2);
}
const scratch = mkdtempSync(join(tmpdir(), 'mayfly-test-'));
const untested = join(scratch, 'untested.txt');
const reports: string[] = [];

const partsOf = new Map(files.map((file) => [file, partsNeeded(file)]));
const withParts = files.filter((file) => partsOf.get(file)?.length);
const bringing = bringParts([...new Set(withParts.flatMap((file) => partsOf.get(file) as string[]))]);
const alone = run(
  files.filter((file) => !withParts.includes(file)),
  {},
);
if (bringing !== undefined && bringing.exitCode === null) await once(bringing, 'exit');
if (withParts.length > 0) console.log('\nTests against real parts:');
// What could not be brought now is not tried again by every test.
const together = run(withParts, { MAYFLY_PARTS: 'cached' });

if (existsSync(untested)) {
  console.log('\nNot tested here, because a part is missing:');
  for (const line of new Set(readFileSync(untested, 'utf8').trim().split('\n'))) console.log(`  - ${line}`);
}
conclude(reports.flatMap(readReport));
rmSync(scratch, { recursive: true, force: true });
process.exit(alone === 0 ? together : alone);

/** Names in `needPart(t, 'name')` and `part('name')`, in the test itself and in what it imports from folders named support. */
function partsNeeded(file: string): string[] {
  const places = new Set([file]);
  const names = new Set<string>();
  // What is added on the way is visited too.
  for (const place of places) {
    const text = readFileSync(join(root, place), 'utf8');
    for (const [, name] of text.matchAll(/\b(?:needPart\(\w+, |part\()'([^']+)'\)/g))
      names.add(name as string);
    for (const [, path] of text.matchAll(/\bfrom '(\.[^']+)'/g)) {
      const imported = join(dirname(place), path as string);
      if (basename(dirname(imported)) === 'support') places.add(imported);
    }
  }
  return [...names];
}

function bringParts(names: readonly string[]): ChildProcess | undefined {
  if (names.length === 0) return undefined;
  const child = spawn(process.execPath, ['scripts/parts/main.ts', ...names], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (child.pid !== undefined) setPriority(child.pid, LOWEST_PRIORITY);
  return child;
}

function run(files: readonly string[], env: Readonly<Record<string, string>>): number {
  if (files.length === 0) return 0;
  // Deep tests fill the machine each by itself.
  const deep = files.some((file) => file.startsWith('test/deep/'));
  const [longest, beside] = deep ? [LONGEST_DEEP_MS, 1] : [LONGEST_MS, 2];
  const report = join(scratch, `report-${reports.length}.jsonl`);
  reports.push(report);
  const result = spawnSync(
    process.execPath,
    [
      '--test',
      `--test-concurrency=${beside}`,
      `--test-timeout=${longest}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=./scripts/test-failures.ts',
      `--test-reporter-destination=${report}`,
      ...files,
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...env, MAYFLY_UNTESTED: untested } },
  );
  return result.status ?? 1;
}

function readReport(path: string): ReportLine[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ReportLine);
}

function conclude(lines: readonly ReportLine[]): void {
  const counts = lines.filter((line) => line.kind === 'counts');
  const tests = counts.reduce((sum, { tests }) => sum + tests, 0);
  const passed = counts.reduce((sum, { passed }) => sum + passed, 0);
  const skipped = counts.reduce((sum, { skipped }) => sum + skipped, 0);
  for (const line of lines)
    if (line.kind === 'failed')
      console.log(
        `\nFailed: ${line.name}\n  in ${relative(root, line.file)}\n${line.why.replaceAll(/^/gm, '  ')}`,
      );
  console.log(
    `\n${passed} passed, ${tests - passed - skipped} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
  );
}
