import { randomFillSync } from 'node:crypto';
import { MayflyError } from '../../model/errors.ts';
import type { LoggedLine } from '../guest.ts';

/** What the host functions need of the instance that calls them. */
export interface CapabilityHost {
  /** The guest's memory 0 as it is now (it may have grown since the last call). */
  memory(): Buffer;
  /**
   * Host writes must be undone by restore too: tells it which bytes are about to change. Always before the write: a guest
   * that has used up its stack makes any call of ours fail, and what was written by then must not outlive the request.
   */
  markWritten(pointer: number, length: number): void;
  readonly env: Readonly<Record<string, string>>;
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
/** A request may log this many lines of this many bytes; what is beyond is cut, so that a guest cannot fill the host's memory. */
export const MAX_LOG_LINES = 100;
export const MAX_LOG_LINE_BYTES = 8192;
const MAX_CONFIG_NAME_BYTES = 256;
/** As Web Crypto's getRandomValues: time in the host is not counted by the CPU budget, so a call must be short. */
export const MAX_RANDOM_BYTES = 65_536;

/**
 * The `mayfly` host module and AssemblyScript's two `env` imports (docs/reference/guest-abi.md).
 * A pointer outside the guest's memory is a trap, as it would be for the guest's own load.
 */
export class Capabilities {
  /** Lines logged since `reset`; null when there are none, which is the usual case. */
  logs: LoggedLine[] | null = null;
  readonly imports: WebAssembly.Imports;
  readonly #host: CapabilityHost;

  constructor(host: CapabilityHost) {
    this.#host = host;
    this.imports = {
      mayfly: {
        log: (level: number, pointer: number, length: number) => this.#log(level, pointer, length),
        config: (name: number, nameLength: number, out: number, capacity: number) =>
          this.#config(name, nameLength, out, capacity),
        now: () => Date.now(),
        random: (pointer: number, length: number) => this.#random(pointer, length),
      },
      env: {
        abort: (message: number, file: number, line: number, column: number) =>
          this.#abort(message, file, line, column),
        seed: () => Date.now() * Math.random(),
      },
    };
  }

  /** Before each request. */
  reset(): void {
    this.logs = null;
  }

  /** Something that the host noticed about this run, for the function's log. */
  report(message: string): void {
    this.#add('error', message);
  }

  #log(level: number, pointer: number, length: number): void {
    const start = this.#range(pointer, length);
    const end = start + Math.min(length >>> 0, MAX_LOG_LINE_BYTES);
    this.#add(
      LEVELS[Math.min(level >>> 0, 3)] as LoggedLine['level'],
      this.#host.memory().toString('utf8', start, end),
    );
  }

  #add(level: LoggedLine['level'], message: string): void {
    this.logs ??= [];
    if (this.logs.length < MAX_LOG_LINES) this.logs.push({ level, message, time: Date.now() });
  }

  /** Returns the value's length in bytes, or −1 when it is not set; writes as much of it as fits. */
  #config(name: number, nameLength: number, out: number, capacity: number): number {
    const start = this.#range(name, nameLength);
    if (nameLength >>> 0 > MAX_CONFIG_NAME_BYTES) return -1;
    const key = this.#host.memory().toString('utf8', start, start + (nameLength >>> 0));
    if (!Object.hasOwn(this.#host.env, key)) return -1;
    const value = Buffer.from(this.#host.env[key] as string);
    const count = Math.min(value.length, capacity >>> 0);
    const target = this.#range(out, count);
    this.#host.markWritten(target, count);
    value.copy(this.#host.memory(), target, 0, count);
    return value.length;
  }

  #random(pointer: number, length: number): void {
    const start = this.#range(pointer, length);
    if (length >>> 0 > MAX_RANDOM_BYTES) {
      throw new MayflyError(`The guest asked for more than ${MAX_RANDOM_BYTES} random bytes in one call`, {
        code: 'trapped',
      });
    }
    this.#host.markWritten(start, length >>> 0);
    randomFillSync(this.#host.memory(), start, length >>> 0);
  }

  /** AssemblyScript calls this instead of trapping: say why in the log, then trap. */
  #abort(message: number, file: number, line: number, column: number): never {
    const text = this.#assemblyScriptString(message) || 'abort';
    this.#add('error', `${text} (${this.#assemblyScriptString(file) || 'guest'}:${line}:${column})`);
    throw new MayflyError(`The guest aborted: ${text}`, { code: 'trapped' });
  }

  /** AssemblyScript strings are UTF-16 with their byte length in the 32-bit word before them. */
  #assemblyScriptString(pointer: number): string {
    const memory = this.#host.memory();
    const at = pointer >>> 0;
    if (at < 4 || at > memory.length) return '';
    const length = Math.min(memory.readUInt32LE(at - 4), memory.length - at, MAX_LOG_LINE_BYTES);
    return memory.toString('utf16le', at, at + length);
  }

  #range(pointer: number, length: number): number {
    const start = pointer >>> 0;
    if (start + (length >>> 0) > this.#host.memory().length) {
      throw new MayflyError('The guest gave the host a pointer outside its memory', { code: 'trapped' });
    }
    return start;
  }
}
