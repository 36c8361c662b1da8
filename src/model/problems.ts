/**
 * The one catalogue of errors that a client of the gateway can meet (RFC 9457 problem types).
 * `docs/reference/errors.md` is generated from it, and a test keeps the two equal.
 */
export interface Problem {
  readonly status: number;
  readonly title: string;
  /** What it means and what the caller can do. */
  readonly detail: string;
}

export const problems = {
  'bad-request': {
    status: 400,
    title: 'Bad request',
    detail:
      'The request is not well-formed HTTP/1.1 (RFC 9112). The connection is closed because its framing cannot be trusted.',
  },
  'invalid-path': {
    status: 400,
    title: 'Invalid path',
    detail: 'The path has a broken percent-encoding, an encoded slash or NUL, or climbs above the root.',
  },
  unauthenticated: {
    status: 401,
    title: 'Authentication required',
    detail:
      'Send a valid token in the Authorization header: Bearer <JWT>. The WWW-Authenticate header says what was wrong.',
  },
  forbidden: {
    status: 403,
    title: 'Forbidden by policy',
    detail: 'The policy of this route did not allow the request.',
  },
  'not-found': {
    status: 404,
    title: 'No such route',
    detail: 'No function is routed at this host and path.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    detail: 'The path exists, but not for this method. The Allow header lists the methods it has.',
  },
  'request-timeout': {
    status: 408,
    title: 'Request timeout',
    detail: 'The request did not arrive completely in time (server.timeout).',
  },
  'content-too-large': {
    status: 413,
    title: 'Content too large',
    detail: 'The body is larger than the function accepts (max_request_body).',
  },
  'uri-too-long': {
    status: 414,
    title: 'URI too long',
    detail: 'The request target is longer than the gateway accepts.',
  },
  'expectation-failed': {
    status: 417,
    title: 'Expectation failed',
    detail: 'Only Expect: 100-continue is understood.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    detail: 'The rate limit is used up. Retry-After says when the next request will be accepted.',
  },
  'headers-too-large': {
    status: 431,
    title: 'Request header fields too large',
    detail: 'The request has too many or too large header fields.',
  },
  'function-failed': {
    status: 500,
    title: 'The function failed',
    detail:
      'The function trapped, ran out of memory, or answered with a malformed response. Its state was thrown away.',
  },
  'policy-failed': {
    status: 500,
    title: 'The policy failed',
    detail: 'The policy could not be evaluated; without a decision the request is denied.',
  },
  'method-not-implemented': {
    status: 501,
    title: 'Method not implemented',
    detail: 'The gateway does not know this method.',
  },
  'transfer-coding-not-implemented': {
    status: 501,
    title: 'Transfer coding not implemented',
    detail: 'Only Transfer-Encoding: chunked is understood.',
  },
  'response-too-large': {
    status: 502,
    title: 'Response too large',
    detail: 'The function answered with more than its limit (max_response_body).',
  },
  'upstream-failed': {
    status: 502,
    title: 'The upstream failed',
    detail:
      'The function runs elsewhere, and no valid answer came from there: no connection could be made, or it ended too early, or what came is not HTTP.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    detail:
      'All instances are busy and the queue is full, or the request waited too long in it, or more comes than the server carries. Retry-After says when to come back.',
  },
  unavailable: {
    status: 503,
    title: 'Unavailable',
    detail:
      'The gateway is draining, or something that the request needs (a key set, a policy server) is not reachable.',
  },
  'function-timeout': {
    status: 504,
    title: 'The function took too long',
    detail:
      'The function used up its CPU budget (cpu_limit, cpu_budget) or its wall-clock time (request_timeout).',
  },
  'http-version-not-supported': {
    status: 505,
    title: 'HTTP version not supported',
    detail: 'The gateway speaks HTTP/1.1 and HTTP/1.0, and HTTP/2 on its TLS listener.',
  },
} as const satisfies Record<string, Problem>;

export type ProblemCode = keyof typeof problems;

/** The `type` member of a problem document: a stable name, not an address. */
export function problemType(code: ProblemCode): string {
  return `urn:problem-type:mayfly:${code}`;
}
