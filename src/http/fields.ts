/** Header fields that the gateway itself understands, as small numbers; 0 is every other field. */
export const OTHER = 0;
export const HOST = 1;
export const CONTENT_LENGTH = 2;
export const TRANSFER_ENCODING = 3;
export const EXPECT = 4;
export const AUTHORIZATION = 5;
export const CONTENT_TYPE = 6;
export const IDEMPOTENCY_KEY = 7;
export const TRACEPARENT = 8;
export const REQUEST_ID = 9;
/** From here on a field may be repeated. */
export const CONNECTION = 10;
/** Any other field about this connection only (RFC 9110 §7.6.1): not passed on. */
export const HOP_BY_HOP = 11;
export const FIELD_KINDS = 12;

/**
 * Fields of which a second one makes the request ambiguous: two readers may pick different ones, which is how
 * requests are smuggled past a check. A repetition is refused even when the values are equal.
 */
export function isSingleton(kind: number): boolean {
  return kind !== OTHER && kind < CONNECTION;
}
