import { AUTHORITY, COLON, DIGIT, HEX, PERCENT, UNRESERVED, isIn, skip } from "./characters";

const OPEN_BRACKET: u8 = 0x5b;
const CLOSE_BRACKET: u8 = 0x5d;

/**
 * Checks `uri-host [":" port]` (RFC 3986 §3.2.2) in [start, end): where the host ends and `:port` may begin, or 0. An
 * empty host and user information are refused.
 */
export function scanAuthority(start: usize, end: usize): usize {
  if (start == end) return 0;
  const hostEnd = load<u8>(start) == OPEN_BRACKET ? ipLiteralEnd(start, end) : nameEnd(start, end);
  if (hostEnd <= start) return 0;
  if (hostEnd == end) return hostEnd;
  if (load<u8>(hostEnd) != COLON || end - hostEnd > 6) return 0;
  return skip(hostEnd + 1, end, DIGIT) == end ? hostEnd : 0;
}

function nameEnd(start: usize, end: usize): usize {
  let i = skip(start, end, UNRESERVED); // nearly always all of it
  for (; i < end && load<u8>(i) != COLON; i++) {
    const byte = load<u8>(i);
    if (!isIn(byte, AUTHORITY) || byte == OPEN_BRACKET || byte == CLOSE_BRACKET) return 0;
    if (byte != PERCENT) continue;
    if (i + 2 >= end || !isIn(load<u8>(i + 1), HEX) || !isIn(load<u8>(i + 2), HEX)) return 0;
  }
  return i;
}

/** Loose on purpose: an address with wrong groups only names a host that nobody routed. */
function ipLiteralEnd(start: usize, end: usize): usize {
  for (let i = start + 1; i < end; i++) {
    const byte = load<u8>(i);
    if (byte == CLOSE_BRACKET) return i == start + 1 ? 0 : i + 1;
    if (!isIn(byte, AUTHORITY) || byte == PERCENT || byte == OPEN_BRACKET) return 0;
  }
  return 0;
}
