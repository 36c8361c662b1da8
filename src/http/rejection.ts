import type { ProblemCode } from '../model/problems.ts';

/** Why the scanners refuse a request, as negative numbers: an offset is never negative, so one number says it all. */
export const BAD_REQUEST = -1;
export const INVALID_PATH = -2;
export const URI_TOO_LONG = -3;
export const HEADERS_TOO_LARGE = -4;
export const CONTENT_TOO_LARGE = -5;
export const EXPECTATION_FAILED = -6;
export const METHOD_NOT_IMPLEMENTED = -7;
export const TRANSFER_CODING_NOT_IMPLEMENTED = -8;
export const VERSION_NOT_SUPPORTED = -9;

/** The same as problems, in the order of their numbers from -1 down. */
export const REJECTIONS: readonly ProblemCode[] = [
  'bad-request',
  'invalid-path',
  'uri-too-long',
  'headers-too-large',
  'content-too-large',
  'expectation-failed',
  'method-not-implemented',
  'transfer-coding-not-implemented',
  'http-version-not-supported',
];

/** The problem to answer with for a rejection (a number below 0). */
export function rejectionProblem(rejection: number): ProblemCode {
  return REJECTIONS[-rejection - 1];
}
