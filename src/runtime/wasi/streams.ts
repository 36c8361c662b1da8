import type { LoggedLine } from '../guest.ts';
import { MAX_LOG_LINE_BYTES, MAX_LOG_LINES } from '../capabilities/mayfly.ts';

/** Standard input: a range of a buffer that is read once, from start to end. */
export class InputStream {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  open(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Copies up to `length` bytes to `target` at `at`; returns how many, 0 at the end. */
  read(target: Buffer, at: number, length: number): number {
    const count = Math.min(length, this.#end - this.#at);
    this.#bytes.copy(target, at, this.#at, this.#at + count);
    this.#at += count;
    return count;
  }
}

/** Standard output: collected up to a ceiling; what is written beyond is remembered as too much, not kept. */
export class OutputStream {
  bytes: Buffer = Buffer.allocUnsafeSlow(4096);
  length = 0;
  overflowed = false;
  #ceiling = 0;

  open(ceiling: number): void {
    this.length = 0;
    this.overflowed = false;
    this.#ceiling = ceiling;
  }

  write(source: Buffer, start: number, end: number): void {
    const needed = this.length + (end - start);
    if (needed > this.#ceiling) {
      this.overflowed = true;
      return;
    }
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#ceiling, Math.max(needed, this.bytes.length * 2)));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    source.copy(this.bytes, this.length, start, end);
    this.length = needed;
  }
}

/** Standard error: each line a log line of the function. */
export class ErrorStream {
  lines: LoggedLine[] | null = null;
  #partial = '';

  open(): void {
    this.lines = null;
    this.#partial = '';
  }

  write(source: Buffer, start: number, end: number): void {
    const room = MAX_LOG_LINE_BYTES - this.#partial.length;
    this.#partial += source.toString('utf8', start, Math.min(end, start + Math.max(room, 0)));
    for (let at = this.#partial.indexOf('\n'); at >= 0; at = this.#partial.indexOf('\n')) {
      this.#add(this.#partial.slice(0, at));
      this.#partial = this.#partial.slice(at + 1);
    }
  }

  close(): void {
    if (this.#partial !== '') this.#add(this.#partial);
    this.#partial = '';
  }

  #add(message: string): void {
    this.lines ??= [];
    if (this.lines.length < MAX_LOG_LINES) this.lines.push({ level: 'error', message, time: Date.now() });
  }
}
