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
  /** How much of `extra` counts. */
  extraEnd: number;
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
    parts.extraEnd +
    parts.user.length +
    (parts.bodyEnd - parts.bodyStart)
  );
}

/** Writes the frame to `target[at..]`, where `requestFrameLength` bytes must fit. `at` needs no alignment. */
export function writeRequestFrame(parts: RequestParts, target: Buffer, at: number): void {
  const count = headerTotal(parts);
  const tableEnd = REQUEST_HEAD_BYTES + count * HEADER_ENTRY_BYTES;
  const headLength = parts.headEnd - parts.headStart;
  const bodyLength = parts.bodyEnd - parts.bodyStart;
  const bodyOffset = tableEnd + headLength;
  const extraOffset = bodyOffset + bodyLength;
  const userOffset = extraOffset + parts.extraEnd;
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
  words[8] = bodyLength;
  words[9] = headLength;
  const next = writeEntries(words, parts, shift);
  writeExtraEntries(words, next, parts, extraOffset);

  tableBytes.copy(target, at, 0, tableEnd);
  // A body that arrived together with its head lies right behind it: one copy takes both.
  if (parts.body === parts.head && parts.bodyStart === parts.headEnd) {
    parts.head.copy(target, at + tableEnd, parts.headStart, parts.bodyEnd);
  } else {
    parts.head.copy(target, at + tableEnd, parts.headStart, parts.headEnd);
    parts.body.copy(target, at + bodyOffset, parts.bodyStart, parts.bodyEnd);
  }
  parts.extra.copy(target, at + extraOffset, 0, parts.extraEnd);
  parts.user.copy(target, at + userOffset, 0, parts.user.length);
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
