import { MAX_LOG_LINE_BYTES, MAX_LOG_LINES } from '../capabilities/mayfly.ts';
import type { LoggedLine } from '../guest.ts';

export const STDIN = 0;
export const STDOUT = 1;
export const STDERR = 2;

/** `fd` as WebAssembly passes it: signed. */
export function isStandard(fd: number): boolean {
  return fd >>> 0 <= STDERR;
}

const NOTHING = Buffer.alloc(0);
const FIRST_BYTES = 4096;
/** There may be thousands of instances: what a large answer took is given back after it. */
const KEPT_BYTES = 65_536;

/** Standard input: a range of a buffer that is read once, from start to end. */
export class InputStream {
  #bytes: Buffer = NOTHING;
  #at = 0;
  #end = 0;

  get remaining(): number {
    return this.#end - this.#at;
  }

  open(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Copies up to `length` bytes to `target` at `at`; returns how many, 0 at the end. */
  read(target: Buffer, at: number, length: number): number {
    const count = Math.min(length, this.remaining);
    this.#bytes.copy(target, at, this.#at, this.#at + count);
    this.#at += count;
    return count;
  }
}

/** Standard output: collected up to a ceiling; what goes beyond is not kept. */
export class OutputStream {
  bytes: Buffer = NOTHING;
  length = 0;
  overflowed = false;
  #ceiling = 0;

  open(ceiling: number): void {
    this.length = 0;
    this.overflowed = false;
    this.#ceiling = ceiling;
  }

  /** False: it was too much. */
  write(source: Buffer, start: number, end: number): boolean {
    const needed = this.length + (end - start);
    if (needed > this.#ceiling) {
      this.overflowed = true;
      return false;
    }
    if (needed > this.bytes.length) {
      const size = Math.max(needed, this.bytes.length * 2, FIRST_BYTES);
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#ceiling, size));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    source.copy(this.bytes, this.length, start, end);
    this.length = needed;
    return true;
  }

  /** Nobody needs `bytes` any more. */
  release(): void {
    if (this.bytes.length > KEPT_BYTES) this.bytes = NOTHING;
  }
}

/** Standard error: each line a log line of the function, as many and as long as the log takes. */
export class ErrorStream {
  lines: LoggedLine[] | null = null;
  #line: Buffer = NOTHING;
  #length = 0;
  /** How much more is looked at in this request. */
  #room = 0;

  open(): void {
    this.lines = null;
    this.#length = 0;
    this.#room = MAX_LOG_LINES * MAX_LOG_LINE_BYTES;
  }

  /** Always true: what is beyond the log's limits is cut, and the program goes on. */
  write(source: Buffer, start: number, end: number): boolean {
    const bytes = source.subarray(start, Math.min(end, start + this.#room));
    this.#room -= bytes.length;
    for (let at = 0; at < bytes.length && !this.#isFull();) {
      const newline = bytes.indexOf(10, at);
      this.#append(bytes, at, newline < 0 ? bytes.length : newline);
      if (newline < 0) break;
      this.#endLine();
      at = newline + 1;
    }
    return true;
  }

  close(): void {
    if (this.#length > 0) this.#endLine();
  }

  #append(bytes: Buffer, start: number, end: number): void {
    if (this.#line.length === 0) this.#line = Buffer.allocUnsafeSlow(MAX_LOG_LINE_BYTES);
    this.#length += bytes.copy(this.#line, this.#length, start, end);
  }

  #endLine(): void {
    const message = this.#line.toString('utf8', 0, this.#length);
    this.#length = 0;
    this.lines ??= [];
    if (!this.#isFull()) this.lines.push({ level: 'error', message, time: Date.now() });
  }

  #isFull(): boolean {
    return this.lines !== null && this.lines.length >= MAX_LOG_LINES;
  }
}
