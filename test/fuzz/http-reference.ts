import { createRequire } from 'node:module';
import type { Target } from './http-stricter.ts';

/**
 * llhttp, the parser of Node.js, as undici ships it: WebAssembly, strict (no lenient flag set), in request mode.
 * It tells what it understood in the same words as http-subject.ts.
 */
export interface ReferenceRequest {
  readonly method: string;
  readonly url: string;
  readonly minor: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** Names of the fields behind a chunked body. */
  readonly trailers: readonly string[];
  /** Offset after the last byte of the body, or of the last field value. */
  readonly end: number;
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
}

export interface ReferenceObservation {
  readonly requests: readonly ReferenceRequest[];
  /** Head of a request whose body is incomplete or broken, null when there is none. */
  readonly partial: ReferenceRequest | null;
  /** Name of llhttp's error, empty when it would read on. */
  readonly error: string;
}

interface Llhttp {
  readonly memory: WebAssembly.Memory;
  malloc(size: number): number;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_reset(parser: number): void;
  llhttp_execute(parser: number, data: number, length: number): number;
  llhttp_get_method(parser: number): number;
  llhttp_get_http_major(parser: number): number;
  llhttp_get_http_minor(parser: number): number;
  llhttp_get_upgrade(parser: number): number;
  llhttp_should_keep_alive(parser: number): number;
}

const require = createRequire(import.meta.url);
const { METHODS, ERROR } = require('undici/lib/llhttp/constants.js') as {
  METHODS: Record<string, number>;
  ERROR: Record<string, number>;
};
const methodNames: string[] = [];
for (const [name, code] of Object.entries(METHODS)) methodNames[code] ??= name;
const errorNames: string[] = [];
for (const [name, code] of Object.entries(ERROR)) errorNames[code] = name;

const REQUEST = 1;
const PAUSED_UPGRADE = ERROR['PAUSED_UPGRADE'];
const CAPACITY = 1 << 17;

export class Reference {
  readonly #llhttp: Llhttp;
  readonly #parser: number;
  readonly #buffer: number;
  readonly #memory: Buffer;
  #requests: ReferenceRequest[] = [];
  #url = '';
  #names: string[] = [];
  #values: string[] = [];
  #body = '';
  #end = 0;
  #trailers: string[] = [];
  #head: ReferenceRequest | null = null;

  constructor() {
    const module = new WebAssembly.Module(
      require('undici/lib/llhttp/llhttp_simd-wasm.js') as Uint8Array<ArrayBuffer>,
    );
    const text = (at: number, length: number): string => this.#memory.toString('latin1', at, at + length);
    const env = {
      wasm_on_message_begin: () => this.#begin(),
      wasm_on_url: (_: number, at: number, length: number) => {
        this.#url += text(at, length);
        return 0;
      },
      wasm_on_status: () => 0,
      wasm_on_header_field: (_: number, at: number, length: number) => {
        (this.#head === null ? this.#names : this.#trailers).push(text(at, length));
        return 0;
      },
      wasm_on_header_value: (_: number, at: number, length: number) => {
        if (this.#head === null) this.#values.push(text(at, length));
        this.#end = at + length - this.#buffer;
        return 0;
      },
      wasm_on_headers_complete: () => this.#headComplete(),
      wasm_on_body: (_: number, at: number, length: number) => {
        this.#body += text(at, length);
        this.#end = at + length - this.#buffer;
        return 0;
      },
      wasm_on_message_complete: () => this.#complete(),
    };
    this.#llhttp = new WebAssembly.Instance(module, { env }).exports as unknown as Llhttp;
    this.#buffer = this.#llhttp.malloc(CAPACITY);
    this.#parser = this.#llhttp.llhttp_alloc(REQUEST);
    this.#memory = Buffer.from(this.#llhttp.memory.buffer);
  }

  observe(bytes: Buffer): ReferenceObservation {
    if (bytes.length > CAPACITY)
      throw new RangeError(`Cannot parse ${bytes.length} bytes: at most ${CAPACITY}`);
    this.#requests = [];
    this.#head = null;
    this.#llhttp.llhttp_reset(this.#parser);
    this.#memory.set(bytes, this.#buffer);
    const code = this.#llhttp.llhttp_execute(this.#parser, this.#buffer, bytes.length);
    const error = code === 0 || code === PAUSED_UPGRADE ? '' : (errorNames[code] ?? String(code));
    return { requests: this.#requests, partial: this.#head, error };
  }

  #begin(): number {
    this.#url = '';
    this.#names = [];
    this.#values = [];
    this.#body = '';
    this.#trailers = [];
    this.#head = null;
    return 0;
  }

  #headComplete(): number {
    const llhttp = this.#llhttp;
    this.#head = {
      method: methodNames[llhttp.llhttp_get_method(this.#parser)],
      url: this.#url,
      minor: llhttp.llhttp_get_http_major(this.#parser) * 10 + llhttp.llhttp_get_http_minor(this.#parser),
      headers: this.#names.map((name, i) => [name, this.#values[i] ?? ''] as const),
      body: '',
      trailers: this.#trailers,
      end: 0,
      keepAlive: llhttp.llhttp_should_keep_alive(this.#parser) === 1,
      upgrade: llhttp.llhttp_get_upgrade(this.#parser) === 1,
    };
    return 0;
  }

  #complete(): number {
    const head = this.#head as ReferenceRequest;
    this.#requests.push({ ...head, body: this.#body, end: this.#end });
    this.#head = null;
    return 0;
  }
}

/** llhttp leaves white space after a value for its user to trim. */
export function trimmed(value: string): string {
  let end = value.length;
  while (end > 0 && (value[end - 1] === ' ' || value[end - 1] === '\t')) end--;
  return end === value.length ? value : value.slice(0, end);
}

/** In the words of http-subject.ts, with the path as the rule of docs/reference/http.md spells it. */
export function understoodByReference(
  request: ReferenceRequest,
  target: Target | null,
  keepAlive: boolean,
): string {
  const path = target?.path ?? '(refused)';
  let text = `${request.method} ${path}?${target?.query ?? ''} 1.${request.minor - 10} ${keepAlive}\n`;
  for (const [name, value] of request.headers) text += `${name}:${trimmed(value)}\n`;
  return `${text}\n${request.body}`;
}
