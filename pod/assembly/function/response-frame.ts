import * as guest from "../guest";
import { putStatusLine } from "../http/status-line";
import { reserve } from "../memory/arena";
import { equal, putBytes } from "../memory/bytes";
import { answer } from "./answer";
import { isOurs, isSafeValue, isToken } from "./response-fields";
import { settings } from "../settings";

/** Why a guest's answer is not a response: the words of the gateway (src/runtime/abi/response-frame.ts). */
export let refusal: string = "";
/** The refusal is about the body's size: 502 and not 500. */
export let isTooLarge: bool = false;

const HEAD_BYTES: u32 = 16;
export const MAX_FIELDS: u32 = 128;
export const MAX_FIELD_BYTES: u32 = 32_768;

/**
 * Functions answer with the same few statuses and fields again and again. The last block of each of so many kinds is
 * remembered with the lines it became: the same bytes need no second check.
 */
@unmanaged
class Memo {
  status: i32;
  fieldCount: u32;
  blockBytes: u32;
  headBytes: u32;
}
const MEMOS: u32 = 8;
const MEMO_BYTES: usize = 2048;
/** As much of the block as is remembered; the lines are a status line longer. */
const MEMO_BLOCK_BYTES: u32 = 960;

let memos: usize = 0;
/** For larger blocks. */
let lines: usize = 0;

export function openResponses(): void {
  memos = reserve(<usize>MEMOS * MEMO_BYTES);
  // A line of CGI output may become two bytes longer.
  lines = reserve(MAX_FIELD_BYTES + 2 * MAX_FIELDS + 128);
}

/** Where fields are turned into lines when they are not remembered. */
export function fieldLines(): usize {
  return lines;
}

function refuse(word: string): bool {
  refusal = word;
  isTooLarge = false;
  return false;
}

/**
 * Reads the response frame at a guest's address. The guest is hostile: every number is checked before it is used, and
 * nothing outside the frame is read. False: see `refusal`.
 */
export function readResponse(address: u32, length: u32): bool {
  if (!guest.has(address, length)) return refuse("outside-memory");
  if (length < HEAD_BYTES) return refuse("wrong-length");
  const frame = guest.base() + address;
  if (load<u8>(frame) != 1) return refuse("wrong-version");
  const blockBytes = load<u32>(frame, 8);
  const bodyBytes = load<u32>(frame, 12);
  if (bodyBytes > settings.maxResponseBody) {
    refuse("too-large");
    isTooLarge = true;
    return false;
  }
  if (<u64>HEAD_BYTES + blockBytes + bodyBytes != length) return refuse("wrong-length");
  if ((load<u8>(frame, 1) | load<u16>(frame, 6)) != 0) return refuse("reserved-not-zero");
  const status = load<u16>(frame, 2);
  if (status < 200 || status > 599) return refuse("wrong-status");
  const fieldCount = load<u16>(frame, 4);
  if (fieldCount > MAX_FIELDS || blockBytes > MAX_FIELD_BYTES) return refuse("malformed-headers");
  const block = frame + HEAD_BYTES;
  if (!readFields(status, fieldCount, block, blockBytes)) return false;
  // Their responses end with their head (RFC 9110 §6.4.1, §15.3.6): a body would be read as the next response.
  const isEmpty = status == 204 || status == 205 || status == 304;
  answer(status, headStart, headBytes, block + blockBytes, isEmpty ? 0 : bodyBytes);
  return true;
}

let headStart: usize = 0;
let headBytes: usize = 0;

function readFields(status: i32, fieldCount: u32, block: usize, blockBytes: u32): bool {
  const memo = changetype<Memo>(memos + <usize>((<u32>status ^ blockBytes) & (MEMOS - 1)) * MEMO_BYTES);
  const remembered = changetype<usize>(memo) + offsetof<Memo>();
  if (memo.status == status && memo.fieldCount == fieldCount && memo.blockBytes == blockBytes) {
    if (equal(remembered, block, blockBytes)) {
      headStart = remembered + blockBytes + 16;
      headBytes = memo.headBytes;
      return true;
    }
  }
  memo.status = 0;
  const fits = blockBytes <= MEMO_BLOCK_BYTES;
  headStart = fits ? remembered + blockBytes + 16 : lines;
  const end = writeLines(putStatusLine(headStart, status), fieldCount, block, block + blockBytes);
  if (end == 0) return false;
  headBytes = end - headStart;
  if (fits) {
    memory.copy(remembered, block, blockBytes);
    memo.status = status;
    memo.fieldCount = fieldCount;
    memo.blockBytes = blockBytes;
    memo.headBytes = <u32>headBytes;
  }
  return true;
}

/** Turns the entries, which must fill [start, end) exactly, into lines. Returns their end, or 0. */
function writeLines(to: usize, fieldCount: u32, start: usize, end: usize): usize {
  let at = to;
  let from = start;
  for (let i: u32 = 0; i < fieldCount; i++) {
    if (from + 4 > end) return malformed("malformed-headers");
    const name = from + 4;
    const value = name + load<u16>(from);
    const next = value + load<u16>(from, 2);
    if (value == name || next > end) return malformed("malformed-headers");
    if (!isToken(name, value) || !isSafeValue(value, next)) return malformed("unsafe-header");
    from = next;
    if (isOurs(name, value)) continue;
    at = putBytes(at, name, value - name);
    store<u16>(at, 0x203a);
    at = putBytes(at + 2, value, next - value);
    store<u16>(at, 0x0a0d);
    at += 2;
  }
  return from == end ? at : malformed("malformed-headers");
}

function malformed(word: string): usize {
  refuse(word);
  return 0;
}
