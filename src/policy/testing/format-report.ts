import type { TestReport, TestResult } from './run-tests.ts';

const RULE = '-'.repeat(80);
const WORDS = { pass: 'PASS', fail: 'FAIL', skip: 'SKIPPED', error: 'ERROR' } as const;

export interface OutcomeCounts {
  readonly pass: number;
  readonly fail: number;
  readonly skip: number;
  readonly error: number;
  readonly total: number;
}

/** Cases count one by one, as in `opa test`. */
export function countOutcomes(report: TestReport): OutcomeCounts {
  const counts = { pass: 0, fail: 0, skip: 0, error: 0, total: 0 };
  for (const { outcome, cases } of report.results) {
    if (cases.length === 0) counts[outcome]++;
    for (const { passed } of cases) counts[passed ? 'pass' : 'fail']++;
    counts.total += Math.max(cases.length, 1);
  }
  return counts;
}

/** The text of `opa test` (with `verbose`, of `opa test -v`), without traces. */
export function formatReport(report: TestReport, { verbose = false }: { verbose?: boolean } = {}): string {
  const lines: string[] = [];
  let lastFile: string | undefined;
  for (const result of report.results) {
    if (!verbose && result.outcome === 'pass') continue;
    const file = result.location?.file;
    if (lastFile !== undefined && lastFile !== file) lines.push('');
    lastFile = file;
    lines.push(...describe(result, verbose));
  }
  if (lines.length > 0) lines.push(RULE);
  const { total, ...counts } = countOutcomes(report);
  for (const [outcome, word] of Object.entries(WORDS)) {
    const count = counts[outcome as keyof typeof counts];
    if (count > 0) lines.push(`${word}: ${count}/${total}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** The JSON of `opa test --format json`: one object a test, durations in nanoseconds. */
export function reportDocument(report: TestReport): Record<string, unknown>[] {
  return report.results.map(({ location, package: name, name: rule, outcome, durationMs, error, cases }) => ({
    ...(location !== null && {
      location: { file: location.file, row: location.row, col: location.column },
    }),
    package: name,
    name: rule,
    ...(outcome === 'fail' && { fail: true }),
    ...(outcome === 'skip' && { skip: true }),
    ...(error !== null && { error: { message: error } }),
    ...(cases.length > 0 && {
      sub_results: Object.fromEntries(cases.map((one) => [one.name, one.passed ? {} : { fail: true }])),
    }),
    duration: Math.round(durationMs * 1e6),
  }));
}

function describe(result: TestResult, verbose: boolean): string[] {
  const { location, outcome, cases, error } = result;
  const took = outcome === 'skip' ? '' : ` (${duration(result.durationMs)})`;
  const head = `${result.package}.${result.name}: ${WORDS[outcome]}${took}`;
  const shown = cases.filter(({ passed }) => verbose || !passed);
  return [
    ...(location === null ? [] : [`${location.file}:${location.row}:`]),
    head,
    ...shown.map(({ name, passed }) => `  ${name}: ${passed ? 'PASS' : 'FAIL'}`),
    ...(error === null ? [] : [`  ${error}`]),
  ];
}

/** As Go writes one: 1.5s, 2.25ms, 310µs. */
function duration(ms: number): string {
  if (ms >= 1000) return `${trim(ms / 1000)}s`;
  return ms >= 1 ? `${trim(ms)}ms` : `${trim(ms * 1000)}µs`;
}

function trim(value: number): string {
  return String(Number(value.toFixed(3)));
}
