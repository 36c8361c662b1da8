import { FIELD_KINDS } from './fields.ts';

/** What a request head may measure, in bytes (a part of model/snapshot.ts: HttpSpec). */
export interface HeadLimits {
  readonly maxHeadBytes: number;
  readonly maxHeaders: number;
  readonly maxTargetBytes: number;
}

/** Numbers per header in the table: where name and value start and end. */
const COLUMNS = 4;

/**
 * A request head as numbers: offsets into the bytes it was read from, no strings until somebody asks for one.
 * One serves all requests of a thread that are answered at once; a request that has to wait gets a copy of its own.
 */
export class RequestHead {
  /** The head reaches from here to `end`, its empty line included. */
  start = 0;
  end = 0;
  /** A number from model/method.ts. */
  method = 0;
  /** The request target as received. */
  targetStart = 0;
  targetEnd = 0;
  /** Path without query, normalised once the head is complete; for the asterisk-form just `*`. */
  pathStart = 0;
  pathEnd = 0;
  /** Query without its `?`; start = end when there is none. */
  queryStart = 0;
  queryEnd = 0;
  /** `host[:port]` in force: of an absolute-form target, else of the Host field. Empty for an HTTP/1.0 request without one. */
  hostStart = 0;
  hostEnd = 0;
  /** Where the host's name ends and `:port` may begin. */
  hostNameEnd = 0;
  /** HTTP/1.x. */
  minorVersion = 1;
  headerCount = 0;
  /** −1: no Content-Length. */
  contentLength = -1;
  chunked = false;
  /** The client waits for `100 Continue` before it sends the body. */
  expectContinue = false;
  /** Whether the connection may be used again after this request, as far as the client is concerned. */
  keepAlive = true;
  /** `headerCount` rows of name start, name end, value start, value end. Values without surrounding white space. */
  headers = new Int32Array(0);
  /** A number from fields.ts for each row. */
  kinds = new Uint8Array(0);
  /** Which fields of fields.ts there are, a bit each; for those, `#rows` has the row. */
  #present = 0;
  readonly #rows = new Uint16Array(FIELD_KINDS);

  /** Makes it empty, with room for so many headers. */
  reset(start: number, maxHeaders: number): void {
    if (this.kinds.length < maxHeaders) {
      this.headers = new Int32Array(maxHeaders * COLUMNS);
      this.kinds = new Uint8Array(maxHeaders);
    }
    this.start = start;
    this.method = 0;
    this.hostStart = 0;
    this.hostEnd = 0;
    this.hostNameEnd = 0;
    this.headerCount = 0;
    this.contentLength = -1;
    this.chunked = false;
    this.expectContinue = false;
    this.#present = 0;
  }

  /** The row of a field from fields.ts, −1 when the request has none. */
  row(kind: number): number {
    return this.has(kind) ? this.#rows[kind] : -1;
  }

  /** Whether the request has a field from fields.ts. */
  has(kind: number): boolean {
    return (this.#present & (1 << kind)) !== 0;
  }

  nameStart(row: number): number {
    return this.headers[row * COLUMNS];
  }

  nameEnd(row: number): number {
    return this.headers[row * COLUMNS + 1];
  }

  valueStart(row: number): number {
    return this.headers[row * COLUMNS + 2];
  }

  valueEnd(row: number): number {
    return this.headers[row * COLUMNS + 3];
  }

  add(kind: number, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const row = this.headerCount++;
    const column = row * COLUMNS;
    const headers = this.headers;
    headers[column] = nameStart;
    headers[column + 1] = nameEnd;
    headers[column + 2] = valueStart;
    headers[column + 3] = valueEnd;
    this.kinds[row] = kind;
    this.#rows[kind] = row;
    this.#present |= 1 << kind;
  }

  /** Takes over another head whose bytes were copied to a place `delta` further on. */
  copyFrom(other: RequestHead, delta: number): void {
    this.reset(other.start + delta, other.headerCount);
    this.end = other.end + delta;
    this.method = other.method;
    this.targetStart = other.targetStart + delta;
    this.targetEnd = other.targetEnd + delta;
    this.pathStart = other.pathStart + delta;
    this.pathEnd = other.pathEnd + delta;
    this.queryStart = other.queryStart + delta;
    this.queryEnd = other.queryEnd + delta;
    this.hostStart = other.hostStart + delta;
    this.hostEnd = other.hostEnd + delta;
    this.hostNameEnd = other.hostNameEnd + delta;
    this.minorVersion = other.minorVersion;
    this.contentLength = other.contentLength;
    this.chunked = other.chunked;
    this.expectContinue = other.expectContinue;
    this.keepAlive = other.keepAlive;
    this.headerCount = other.headerCount;
    const cells = other.headerCount * COLUMNS;
    for (let i = 0; i < cells; i++) this.headers[i] = other.headers[i] + delta;
    for (let row = 0; row < other.headerCount; row++) this.kinds[row] = other.kinds[row];
    this.#present = other.#present;
    this.#rows.set(other.#rows);
  }
}
