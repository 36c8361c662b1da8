import { ABI_VERSION, HEADER_ENTRY_BYTES, MAX_REQUEST_HEADERS, REQUEST_HEAD_BYTES } from './layout.ts';

/**
 * A parsed request as it lies in the buffers of the data path. One object is filled again for every request.
 * Ranges are absolute positions in their buffer.
 */
export interface RequestParts {
  /** Code of src/model/method.ts. */
  method: number;
  /** The raw head: `head[headStart..headEnd)` holds everything that path, query and `headers` point into. */
  head: Buffer;
  headStart: number;
  headEnd: number;
  pathStart: number;
  pathEnd: number;
  /** Without the question mark; an empty range when there is none. */
  queryStart: number;
  queryEnd: number;
  /** Four numbers a header: name start, name end, value start, value end. */
  headers: Int32Array;
  headerCount: number;
  /** Indexes of headers that the guest must not see (hop-by-hop), ascending. */
  skipped: Int32Array;
  skippedCount: number;
  /** Headers that the gateway adds, as text of their own with a table of the same form. */
  extra: Buffer;
  extraHeaders: Int32Array;
  extraCount: number;
  /** Claims of the verified token as a JSON object; empty when nobody is signed in. */
  user: Buffer;
  body: Buffer;
  bodyStart: number;
  bodyEnd: number;
}

/** Length of the request's frame in bytes. */
export function requestFrameLength(parts: RequestParts): number {
  return (
    REQUEST_HEAD_BYTES +
    headerTotal(parts) * HEADER_ENTRY_BYTES +
    (parts.headEnd - parts.headStart) +
    parts.extra.length +
    parts.user.length +
    (parts.bodyEnd - parts.bodyStart)
  );
}

/** Writes the frame to `target[at..]`, where `requestFrameLength` bytes must fit. `at` needs no alignment. */
export function writeRequestFrame(parts: RequestParts, target: Buffer, at: number): void {
  const count = headerTotal(parts);
  const tableEnd = REQUEST_HEAD_BYTES + count * HEADER_ENTRY_BYTES;
  const headLength = parts.headEnd - parts.headStart;
  const textLength = headLength + parts.extra.length;
  const userOffset = tableEnd + textLength;
  const bodyOffset = userOffset + parts.user.length;
  // What is at p in the head is at p + shift in the frame.
  const shift = tableEnd - parts.headStart;

  const words = tableEnd > table.byteLength ? enlarge(tableEnd) : table;
  words[0] = ABI_VERSION | (parts.method << 8) | (count << 16);
  words[1] = parts.pathStart + shift;
  words[2] = parts.pathEnd - parts.pathStart;
  words[3] = parts.queryStart + shift;
  words[4] = parts.queryEnd - parts.queryStart;
  words[5] = userOffset;
  words[6] = parts.user.length;
  words[7] = bodyOffset;
  words[8] = parts.bodyEnd - parts.bodyStart;
  words[9] = textLength;
  const next = writeEntries(words, parts, shift);
  writeExtraEntries(words, next, parts, tableEnd + headLength);

  copy(tableBytes, 0, tableEnd, target, at);
  copy(parts.head, parts.headStart, parts.headEnd, target, at + tableEnd);
  copy(parts.extra, 0, parts.extra.length, target, at + tableEnd + headLength);
  copy(parts.user, 0, parts.user.length, target, at + userOffset);
  copy(parts.body, parts.bodyStart, parts.bodyEnd, target, at + bodyOffset);
}

function headerTotal(parts: RequestParts): number {
  const count = parts.headerCount - parts.skippedCount + parts.extraCount;
  if (count > MAX_REQUEST_HEADERS) throw new RangeError('a request frame holds at most 65535 headers');
  return count;
}

/**
 * Head and table are put together here and copied to the guest in one piece: aligned words in memory of our own are
 * cheaper than single stores to a guest's memory, whose views change whenever it grows.
 */
let table = new Int32Array((REQUEST_HEAD_BYTES + 128 * HEADER_ENTRY_BYTES) / 4);
let tableBytes = Buffer.from(table.buffer);

function enlarge(bytes: number): Int32Array {
  table = new Int32Array(bytes / 4);
  tableBytes = Buffer.from(table.buffer);
  return table;
}

/** Returns the index of the first free word. */
function writeEntries(words: Int32Array, parts: RequestParts, shift: number): number {
  const { headers, headerCount, skipped, skippedCount } = parts;
  let word = REQUEST_HEAD_BYTES / 4;
  let nextSkipped = 0;
  for (let i = 0; i < headerCount; i++) {
    if (nextSkipped < skippedCount && skipped[nextSkipped] === i) {
      nextSkipped++;
      continue;
    }
    const entry = i * 4;
    word = writeEntry(words, word, headers, entry, shift);
  }
  return word;
}

function writeExtraEntries(words: Int32Array, from: number, parts: RequestParts, shift: number): void {
  let word = from;
  for (let i = 0; i < parts.extraCount; i++) word = writeEntry(words, word, parts.extraHeaders, i * 4, shift);
}

function writeEntry(
  words: Int32Array,
  word: number,
  headers: Int32Array,
  entry: number,
  shift: number,
): number {
  const nameStart = headers[entry];
  const valueStart = headers[entry + 2];
  words[word] = nameStart + shift;
  words[word + 1] = headers[entry + 1] - nameStart;
  words[word + 2] = valueStart + shift;
  words[word + 3] = headers[entry + 3] - valueStart;
  return word + 4;
}

/** Below this, a loop is quicker than the call into C++ (measured: they meet at about 24 bytes). */
const SHORT = 24;

function copy(from: Buffer, start: number, end: number, target: Buffer, at: number): void {
  if (end - start > SHORT) {
    from.copy(target, at, start, end);
    return;
  }
  for (let i = start; i < end; i++) target[at + i - start] = from[i];
}
