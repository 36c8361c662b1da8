import { AdminProblem } from './problem.ts';
import type { Operation } from './operation.ts';

export interface Match {
  readonly operation: Operation;
  /** Decoded, by name. */
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the operation for a method and an absolute path without query. Throws AdminProblem 400, 404 or 405 (with Allow). */
export function createRouter(operations: readonly Operation[]): (method: string, path: string) => Match {
  const table = operations.map((operation) => ({ operation, segments: operation.path.split('/') }));
  return (method, path) => {
    const segments = path.split('/').map(decode);
    const here = table.filter((entry) => fits(entry.segments, segments));
    if (here.length === 0) {
      throw new AdminProblem(
        404,
        'not-found',
        'Not found',
        'There is nothing here. GET /openapi.json lists what is.',
      );
    }
    const found = here.find(({ operation }) => operation.method === method);
    if (found === undefined) {
      const allow = here.map(({ operation }) => operation.method).join(', ');
      throw new AdminProblem(405, 'method-not-allowed', 'Method not allowed', `This has ${allow}.`, {
        allow,
      });
    }
    const params: Record<string, string> = {};
    found.segments.forEach((pattern, index) => {
      if (pattern.startsWith('{')) params[pattern.slice(1, -1)] = segments[index] as string;
    });
    return { operation: found.operation, params };
  };
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every(
      (part, index) => part === segments[index] || (part.startsWith('{') && segments[index] !== ''),
    )
  );
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new AdminProblem(400, 'bad-path', 'Bad path', 'The path has a broken percent-encoding.');
  }
}
