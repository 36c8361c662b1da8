/** Errors of the admin API as RFC 9457 problem documents. */
import type { z } from 'zod';
import { MayflyError } from '../../model/errors.ts';
import type { problem } from './schemas.ts';

export type ProblemDocument = z.infer<typeof problem>;

/** A request that the API refuses before it reaches an operation. */
export class AdminProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    title: string,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.title = title;
    this.headers = headers;
  }
}

/** What is not the caller's doing, and what has a status of its own. Any other MayflyError says that the order cannot be carried out: 422. */
const statuses: Readonly<Record<string, number>> = {
  'no-such-function': 404,
  'no-such-revision': 404,
  'owned-by-file': 409,
  'no-rollout': 409,
  'route-taken': 409,
  'too-many-functions': 409,
  'module-too-large': 413,
  'gateway-unreachable': 502,
  internal: 500,
  'artifact-missing': 500,
  'artifact-damaged': 500,
  'state-failed': 500,
  'store-failed': 500,
  'disk-full': 507,
};

export function toProblem(error: unknown): ProblemDocument {
  if (error instanceof AdminProblem) {
    return document(error.status, error.code, error.title, error.message);
  }
  if (error instanceof MayflyError) {
    return {
      ...document(statuses[error.code] ?? 422, error.code, error.what, error.message),
      ...(error.where === undefined ? {} : { where: error.where }),
      ...(error.fix === undefined ? {} : { fix: error.fix }),
    };
  }
  return document(500, 'internal', 'Internal error', 'The control plane failed; its log says how.');
}

function document(status: number, code: string, title: string, detail: string): ProblemDocument {
  return { type: `urn:problem-type:mayfly-admin:${code}`, title, status, detail };
}
