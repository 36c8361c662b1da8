/**
 * A reporter for node's test runner: a line of JSON for each test that failed, and one for the counts of the run.
 * `scripts/test.ts` reads them to end with what failed in any of its parts: whoever sees only the end of a log sees that.
 */
import type { EventData } from 'node:test';

type RunEvent = { readonly type: string; readonly data: unknown };

export type ReportLine =
  | { readonly kind: 'failed'; readonly name: string; readonly file: string; readonly why: string }
  | { readonly kind: 'counts'; readonly passed: number; readonly tests: number; readonly skipped: number };

const LONGEST_WHY = 2_000;

export default async function* failures(events: AsyncIterable<RunEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    const line =
      type === 'test:fail'
        ? failed(data as EventData.TestFail)
        : type === 'test:summary'
          ? counts(data as EventData.TestSummary)
          : undefined;
    if (line !== undefined) yield `${JSON.stringify(line)}\n`;
  }
}

function failed({ name, file, details }: EventData.TestFail): ReportLine | undefined {
  // A suite fails because of a test in it, which has a line of its own.
  const { error } = details;
  if ('failureType' in error && error.failureType === 'subtestsFailed') return undefined;
  const cause = error.cause ?? error;
  const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return { kind: 'failed', name, file: file ?? '', why: why.slice(0, LONGEST_WHY) };
}

/** Each file has a summary of its own before that of the run, which names no file. */
function counts({ file, counts: { passed, tests, skipped } }: EventData.TestSummary): ReportLine | undefined {
  return file === undefined ? { kind: 'counts', passed, tests, skipped } : undefined;
}
