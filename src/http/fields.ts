import { equalsIgnoreCase, lowerCase } from './characters.ts';

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

const host = lowerCase('host');
const expect = lowerCase('expect');
const upgrade = lowerCase('upgrade');
const trailer = lowerCase('trailer');
const te = lowerCase('te');
const connection = lowerCase('connection');
const keepAlive = lowerCase('keep-alive');
const traceparent = lowerCase('traceparent');
const contentType = lowerCase('content-type');
const requestId = lowerCase('x-request-id');
const authorization = lowerCase('authorization');
const contentLength = lowerCase('content-length');
const idempotencyKey = lowerCase('idempotency-key');
const proxyConnection = lowerCase('proxy-connection');
const transferEncoding = lowerCase('transfer-encoding');

/** Which field bytes[start, end) names. */
export function fieldKind(bytes: Uint8Array, start: number, end: number): number {
  switch (end - start) {
    case 2:
      return equalsIgnoreCase(bytes, start, end, te) ? HOP_BY_HOP : OTHER;
    case 4:
      return equalsIgnoreCase(bytes, start, end, host) ? HOST : OTHER;
    case 6:
      return equalsIgnoreCase(bytes, start, end, expect) ? EXPECT : OTHER;
    case 7:
      if (equalsIgnoreCase(bytes, start, end, upgrade)) return HOP_BY_HOP;
      return equalsIgnoreCase(bytes, start, end, trailer) ? HOP_BY_HOP : OTHER;
    case 10:
      if (equalsIgnoreCase(bytes, start, end, connection)) return CONNECTION;
      return equalsIgnoreCase(bytes, start, end, keepAlive) ? HOP_BY_HOP : OTHER;
    case 11:
      return equalsIgnoreCase(bytes, start, end, traceparent) ? TRACEPARENT : OTHER;
    case 12:
      if (equalsIgnoreCase(bytes, start, end, contentType)) return CONTENT_TYPE;
      return equalsIgnoreCase(bytes, start, end, requestId) ? REQUEST_ID : OTHER;
    case 13:
      return equalsIgnoreCase(bytes, start, end, authorization) ? AUTHORIZATION : OTHER;
    case 14:
      return equalsIgnoreCase(bytes, start, end, contentLength) ? CONTENT_LENGTH : OTHER;
    case 15:
      return equalsIgnoreCase(bytes, start, end, idempotencyKey) ? IDEMPOTENCY_KEY : OTHER;
    case 16:
      return equalsIgnoreCase(bytes, start, end, proxyConnection) ? HOP_BY_HOP : OTHER;
    case 17:
      return equalsIgnoreCase(bytes, start, end, transferEncoding) ? TRANSFER_ENCODING : OTHER;
    default:
      return OTHER;
  }
}
