import { isIgnoringCase } from "../memory/bytes";

/** Header fields that the server itself understands, as small numbers; 0 is every other field (src/http/fields.ts). */
export const OTHER: i32 = 0;
export const HOST: i32 = 1;
export const CONTENT_LENGTH: i32 = 2;
export const TRANSFER_ENCODING: i32 = 3;
export const EXPECT: i32 = 4;
export const AUTHORIZATION: i32 = 5;
export const CONTENT_TYPE: i32 = 6;
export const IDEMPOTENCY_KEY: i32 = 7;
export const TRACEPARENT: i32 = 8;
export const REQUEST_ID: i32 = 9;
/** From here on a field may be repeated. */
export const CONNECTION: i32 = 10;
/** Any other field about this connection only (RFC 9110 §7.6.1): not passed on. */
export const HOP_BY_HOP: i32 = 11;
export const FIELD_KINDS: i32 = 12;

/** `transfer-encoding` */
export const LONGEST_KNOWN_NAME: usize = 17;

/** Fields of which a second one is refused: two readers may pick different ones, which is how requests are smuggled. */
// @ts-ignore: decorator
@inline
export function isSingleton(kind: i32): bool {
  return kind != OTHER && kind < CONNECTION;
}

/** Which field [start, end), a token, names. */
export function fieldKind(start: usize, end: usize): i32 {
  switch (<u32>(end - start)) {
    case 2:
      return isIgnoringCase(start, end, "te") ? HOP_BY_HOP : OTHER;
    case 4:
      return isIgnoringCase(start, end, "host") ? HOST : OTHER;
    case 6:
      return isIgnoringCase(start, end, "expect") ? EXPECT : OTHER;
    case 7:
      if (isIgnoringCase(start, end, "upgrade")) return HOP_BY_HOP;
      return isIgnoringCase(start, end, "trailer") ? HOP_BY_HOP : OTHER;
    case 10:
      if (isIgnoringCase(start, end, "connection")) return CONNECTION;
      return isIgnoringCase(start, end, "keep-alive") ? HOP_BY_HOP : OTHER;
    case 11:
      return isIgnoringCase(start, end, "traceparent") ? TRACEPARENT : OTHER;
    case 12:
      if (isIgnoringCase(start, end, "content-type")) return CONTENT_TYPE;
      return isIgnoringCase(start, end, "x-request-id") ? REQUEST_ID : OTHER;
    case 13:
      return isIgnoringCase(start, end, "authorization") ? AUTHORIZATION : OTHER;
    case 14:
      return isIgnoringCase(start, end, "content-length") ? CONTENT_LENGTH : OTHER;
    case 15:
      return isIgnoringCase(start, end, "idempotency-key") ? IDEMPOTENCY_KEY : OTHER;
    case 16:
      return isIgnoringCase(start, end, "proxy-connection") ? HOP_BY_HOP : OTHER;
    case 17:
      return isIgnoringCase(start, end, "transfer-encoding") ? TRANSFER_ENCODING : OTHER;
    default:
      return OTHER;
  }
}
