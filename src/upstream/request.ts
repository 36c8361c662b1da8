/** What is sent to an upstream, and what becomes of it. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query as they go over the wire. */
  readonly target: string;
  /** Names and values in turn; no field about the connection or the framing among them. */
  readonly headers: readonly string[];
  /** Decoded; null: none. The caller does not change it any more. */
  readonly body: Buffer | null;
  readonly maxResponseBytes: number;
}

export interface UpstreamAnswer {
  /** 200 to 599. */
  readonly status: number;
  /** Checked header lines, CRLF each, without those about framing and the connection. */
  readonly headers: Buffer;
  readonly body: Buffer;
  /** What the body of a GET would be long; as long as `body` for every method but HEAD. */
  readonly length: number;
}

export type UpstreamFailure =
  /** No connection could be made, and nothing waits for one. */
  | 'unreachable'
  /** No connection could be made for as long as a request may be held. */
  | 'held-too-long'
  /** It could not be held: too much is held already. */
  | 'no-room'
  /** The connection ended before the answer was complete. */
  | 'broken'
  /** What came is not an HTTP response that can be passed on. */
  | 'malformed'
  | 'too-large';

/** Methods that mean the same when they arrive twice (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

export function isIdempotent({ method }: UpstreamRequest): boolean {
  return IDEMPOTENT.has(method);
}

/** About what it takes to keep a request. */
export function sizeOf({ target, headers, body }: UpstreamRequest): number {
  const text = headers.reduce((sum, part) => sum + part.length, target.length);
  return 512 + text + (body?.length ?? 0);
}
