import { runTask } from '../worker/run-task.ts';
import type { TestReport } from './run-tests.ts';

export interface TestRequest {
  /** File name → Rego text, tests and what they test. */
  readonly files: Readonly<Record<string, string>>;
  readonly data?: unknown;
}

/**
 * Runs the `test_` rules (`todo_test_` ones are skipped), as `mayfly policy test` does, in a thread that is stopped
 * after a minute. Throws MayflyError where the files do not compile. All is well when `countOutcomes` says no failures.
 */
export function testPolicy({ files, data }: TestRequest): Promise<TestReport> {
  return runTask('test', { files, data: data ?? {} });
}
