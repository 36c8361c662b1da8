import { isIgnoringCase } from "../memory/bytes";
import { COMMA, TOKEN, lower, skip, skipBlanks } from "./characters";
import { CONNECTION, HOP_BY_HOP, OTHER } from "./fields";
import { head, line } from "./head";
import { BAD_REQUEST } from "./rejection";

/** Fields that one request may declare hop-by-hop; more is nobody's need and costs a comparison with each field. */
const MAX_NOMINATIONS: i32 = 16;

/**
 * Reads the Connection fields (RFC 9110 §7.6.1): whether the connection stays, and which other fields are for this hop
 * only. A field that the server itself understands cannot be nominated away. Returns 0 or a rejection.
 */
export function readConnectionFields(): i32 {
  let wantsClose = false;
  let wantsKeepAlive = false;
  let nominations = 0;
  for (let row = 0; row < head.headerCount; row++) {
    const field = line(row);
    if (field.kind != CONNECTION) continue;
    const end = field.valueEnd;
    let i = field.valueStart;
    while (i < end) {
      const start = i;
      i = skip(i, end, TOKEN);
      if (i > start) {
        if (isIgnoringCase(start, i, "close")) wantsClose = true;
        else if (isIgnoringCase(start, i, "keep-alive")) wantsKeepAlive = true;
        else if (++nominations > MAX_NOMINATIONS) return BAD_REQUEST;
        else nominate(start, i);
      }
      i = skipBlanks(i, end);
      if (i == end) break;
      if (load<u8>(i++) != COMMA) return BAD_REQUEST;
      i = skipBlanks(i, end);
    }
  }
  head.keepAlive = !wantsClose && (head.minorVersion == 1 || wantsKeepAlive);
  return 0;
}

function nominate(start: usize, end: usize): void {
  const length = end - start;
  for (let row = 0; row < head.headerCount; row++) {
    const field = line(row);
    if (field.kind != OTHER || field.nameEnd - field.nameStart != length) continue;
    let i: usize = 0;
    while (i < length && lower(load<u8>(start + i)) == lower(load<u8>(field.nameStart + i))) i++;
    if (i == length) field.kind = HOP_BY_HOP;
  }
}
