import { TOKEN, lower, skip, skipField } from "../http/characters";

/** What a guest's header fields may be (src/runtime/abi/response-headers.ts). */
export function isToken(start: usize, end: usize): bool {
  return skip(start, end, TOKEN) == end;
}

/** Visible characters, space, tab and bytes beyond ASCII (RFC 9110 §5.5); no CR, LF, NUL or other controls. */
export function isSafeValue(start: usize, end: usize): bool {
  return skipField(start, end) == end;
}

/** Fields that are the server's to write: framing, the connection, the date. A guest's own are left out. */
export function isOurs(start: usize, end: usize): bool {
  switch (<u32>(end - start)) {
    case 2: return named(start, "te");
    case 4: return named(start, "date");
    case 7: return named(start, "trailer") || named(start, "upgrade");
    case 10: return named(start, "connection") || named(start, "keep-alive");
    case 14: return named(start, "content-length");
    case 16: return named(start, "proxy-connection");
    case 17: return named(start, "transfer-encoding");
    default: return false;
  }
}

/** Whether the name of the literal's length is it, letters in either case. */
export function named(start: usize, literal: string): bool {
  for (let i = 0; i < literal.length; i++) {
    if (lower(load<u8>(start + i)) != literal.charCodeAt(i)) return false;
  }
  return true;
}
