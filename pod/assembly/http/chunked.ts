import { COLON, CR, FIELD, HEX, LF, SEMICOLON, TOKEN, hexValue, isIn } from "./characters";
import { LONGEST_KNOWN_NAME, OTHER, fieldKind } from "./fields";
import { BAD_REQUEST, CONTENT_TOO_LARGE, HEADERS_TOO_LARGE } from "./rejection";

/** Chunk extensions and trailer fields are read and dropped; a body may carry so many bytes of each. */
const MAX_EXTENSION_BYTES: u32 = 1024;
const MAX_TRAILER_BYTES: u32 = 8192;
const MAX_SIZE_DIGITS: u32 = 16;

const SIZE_FIRST: i32 = 0;
const SIZE: i32 = 1;
const EXTENSION_NAME_FIRST: i32 = 2;
const EXTENSION_NAME: i32 = 3;
const EXTENSION_VALUE_FIRST: i32 = 4;
const EXTENSION_VALUE: i32 = 5;
const SIZE_LF: i32 = 6;
const DATA: i32 = 7;
const DATA_CR: i32 = 8;
const DATA_LF: i32 = 9;
const TRAILER_START: i32 = 10;
const TRAILER_NAME: i32 = 11;
const TRAILER_VALUE: i32 = 12;
const TRAILER_LF: i32 = 13;
const END_LF: i32 = 14;
const DONE: i32 = 15;

const EQUALS: u8 = 0x3d;

/**
 * Where in a chunked body (RFC 9112 §7.1) a connection is; a body may be split anywhere. As strict as the gateway
 * (src/http/chunked.ts): sizes are hexadecimal digits and nothing else, every line ends in CRLF.
 */
@unmanaged
export class Chunks {
  state: i32;
  digits: u32;
  remaining: u64;
  accepted: u64;
  maxBytes: u64;
  extensionBytes: u32;
  trailerBytes: u32;
  nameLength: u32;
  /** The trailer field's name, as far as it could be one that the server knows: 24 bytes. */
  name0: u64;
  name1: u64;
  name2: u64;
}

/** Where `decode` stopped reading: after the body when it is done. */
export let sourceEnd: usize = 0;
/** Where the decoded bytes end. */
export let targetEnd: usize = 0;

export function startChunks(chunks: Chunks, maxBytes: u64): void {
  memory.fill(changetype<usize>(chunks), 0, offsetof<Chunks>());
  chunks.maxBytes = maxBytes;
}

/**
 * Decodes [start, end) to `target`, where `end - start` bytes always suffice; it may be `start`.
 * Returns 1 when the body is complete, 0 when bytes are missing, or a rejection.
 */
export function decode(chunks: Chunks, start: usize, end: usize, target: usize): i32 {
  let i = start;
  let out = target;
  while (i < end) {
    if (chunks.state == DATA) {
      const length = <usize>min(chunks.remaining, <u64>(end - i));
      memory.copy(out, i, length);
      out += length;
      i += length;
      chunks.remaining -= length;
      if (chunks.remaining == 0) chunks.state = DATA_CR;
      continue;
    }
    const rejection = step(chunks, load<u8>(i++));
    if (rejection < 0) return rejection;
    if (chunks.state == DONE) break;
  }
  sourceEnd = i;
  targetEnd = out;
  return chunks.state == DONE ? 1 : 0;
}

/** One byte of framing. 0 or a rejection. */
function step(chunks: Chunks, byte: u8): i32 {
  switch (chunks.state) {
    case SIZE_FIRST:
      if (!isIn(byte, HEX)) return BAD_REQUEST;
      chunks.remaining = hexValue(byte);
      chunks.digits = 1;
      chunks.state = SIZE;
      return 0;
    case SIZE:
      return sizeByte(chunks, byte);
    case EXTENSION_NAME_FIRST:
    case EXTENSION_NAME:
    case EXTENSION_VALUE_FIRST:
    case EXTENSION_VALUE:
      return extensionByte(chunks, byte);
    case SIZE_LF:
      return byte == LF ? beginChunk(chunks) : BAD_REQUEST;
    case DATA_CR:
      chunks.state = DATA_LF;
      return byte == CR ? 0 : BAD_REQUEST;
    case DATA_LF:
      chunks.state = SIZE_FIRST;
      return byte == LF ? 0 : BAD_REQUEST;
    case END_LF:
      chunks.state = DONE;
      return byte == LF ? 0 : BAD_REQUEST;
    default:
      return trailerByte(chunks, byte);
  }
}

function sizeByte(chunks: Chunks, byte: u8): i32 {
  if (isIn(byte, HEX)) {
    if (++chunks.digits > MAX_SIZE_DIGITS) return BAD_REQUEST;
    chunks.remaining = (chunks.remaining << 4) | hexValue(byte); // 16 digits fill 64 bits
    return 0;
  }
  if (byte == CR) chunks.state = SIZE_LF;
  else if (byte == SEMICOLON) chunks.state = EXTENSION_NAME_FIRST;
  else return BAD_REQUEST;
  return 0;
}

/** `;name` or `;name=value`. White space and quoted values are refused: nobody needs them, and they have hidden line ends. */
function extensionByte(chunks: Chunks, byte: u8): i32 {
  if (++chunks.extensionBytes > MAX_EXTENSION_BYTES) return BAD_REQUEST;
  const state = chunks.state;
  if (isIn(byte, TOKEN)) {
    if (state == EXTENSION_NAME_FIRST) chunks.state = EXTENSION_NAME;
    else if (state == EXTENSION_VALUE_FIRST) chunks.state = EXTENSION_VALUE;
    return 0;
  }
  if (state != EXTENSION_NAME && state != EXTENSION_VALUE) return BAD_REQUEST;
  if (byte == CR) chunks.state = SIZE_LF;
  else if (byte == SEMICOLON) chunks.state = EXTENSION_NAME_FIRST;
  else if (byte == EQUALS && state == EXTENSION_NAME) chunks.state = EXTENSION_VALUE_FIRST;
  else return BAD_REQUEST;
  return 0;
}

function beginChunk(chunks: Chunks): i32 {
  if (chunks.remaining > chunks.maxBytes - chunks.accepted) return CONTENT_TOO_LARGE;
  chunks.accepted += chunks.remaining;
  chunks.state = chunks.remaining == 0 ? TRAILER_START : DATA;
  return 0;
}

/**
 * Trailer fields obey the same grammar as header fields, then are forgotten. Those that the server itself reads have no
 * place here (RFC 9110 §6.5.1) and are refused.
 */
function trailerByte(chunks: Chunks, byte: u8): i32 {
  if (++chunks.trailerBytes > MAX_TRAILER_BYTES) return HEADERS_TOO_LARGE;
  switch (chunks.state) {
    case TRAILER_START:
      chunks.nameLength = 0;
      if (byte == CR) {
        chunks.state = END_LF;
      } else if (isIn(byte, TOKEN)) {
        chunks.state = TRAILER_NAME;
        addToName(chunks, byte);
      } else {
        return BAD_REQUEST;
      }
      return 0;
    case TRAILER_NAME:
      if (byte == COLON) return endTrailerName(chunks);
      if (!isIn(byte, TOKEN)) return BAD_REQUEST;
      addToName(chunks, byte);
      return 0;
    case TRAILER_VALUE:
      if (byte == CR) chunks.state = TRAILER_LF;
      else if (!isIn(byte, FIELD)) return BAD_REQUEST;
      return 0;
    default:
      chunks.state = TRAILER_START;
      return byte == LF ? 0 : BAD_REQUEST;
  }
}

function nameOf(chunks: Chunks): usize {
  return changetype<usize>(chunks) + offsetof<Chunks>("name0");
}

function addToName(chunks: Chunks, byte: u8): void {
  if (chunks.nameLength < <u32>LONGEST_KNOWN_NAME) store<u8>(nameOf(chunks) + chunks.nameLength, byte);
  chunks.nameLength++;
}

function endTrailerName(chunks: Chunks): i32 {
  chunks.state = TRAILER_VALUE;
  if (chunks.nameLength > <u32>LONGEST_KNOWN_NAME) return 0;
  const name = nameOf(chunks);
  return fieldKind(name, name + chunks.nameLength) == OTHER ? 0 : BAD_REQUEST;
}
