/** Calls a handler module as the data plane does, frame by frame, but with nothing around it. */
import type { MethodName } from '../../src/model/method.ts';
import { methodCode } from '../../src/model/method.ts';
import {
  type RequestParts,
  requestFrameLength,
  writeRequestFrame,
} from '../../src/runtime/abi/request-frame.ts';
import { DEFAULT_HEADER_LIMITS, ResponseReader } from '../../src/runtime/abi/response-frame.ts';
import { Capabilities } from '../../src/runtime/capabilities/mayfly.ts';

export interface TestRequest {
  readonly method?: MethodName;
  /** Path, maybe with a query. */
  readonly target?: string;
  readonly headers?: readonly (readonly [string, string])[];
  /** Claims of the token. */
  readonly user?: unknown;
  readonly body?: string | Uint8Array;
}

export interface TestResponse {
  readonly status: number;
  /** Lower-case names; the last one wins. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The parts of a request as the HTTP scanner would find them in `GET /path?query HTTP/1.1`… */
export function requestParts(request: TestRequest): RequestParts {
  const { method = 'GET', target = '/', headers = [] } = request;
  let text = `${method} ${target} HTTP/1.1\r\n`;
  const table: number[] = [];
  for (const [name, value] of headers) {
    const start = Buffer.byteLength(text, 'latin1');
    table.push(start, start + name.length, start + name.length + 2, start + name.length + 2 + value.length);
    text += `${name}: ${value}\r\n`;
  }
  const head = Buffer.from(`${text}\r\n`, 'latin1');
  const pathStart = method.length + 1;
  const targetEnd = pathStart + target.length;
  const question = target.indexOf('?');
  const pathEnd = question < 0 ? targetEnd : pathStart + question;
  const body = Buffer.from(request.body ?? '');
  return {
    method: methodCode(method),
    head,
    headStart: 0,
    headEnd: head.length,
    pathStart,
    pathEnd,
    queryStart: question < 0 ? targetEnd : pathEnd + 1,
    queryEnd: targetEnd,
    headers: Int32Array.from(table),
    headerCount: headers.length,
    skipped: new Int32Array(0),
    skippedCount: 0,
    extra: Buffer.alloc(0),
    extraEnd: 0,
    extraHeaders: new Int32Array(0),
    extraCount: 0,
    user: request.user === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(request.user)),
    body,
    bodyStart: 0,
    bodyEnd: body.length,
  };
}

/** One module; every call meets a brand-new instance. */
export class TestGuest {
  config: Readonly<Record<string, string>> = {};
  readonly #module: WebAssembly.Module;
  #capabilities: Capabilities | null = null;

  constructor(wasm: Uint8Array) {
    this.#module = new WebAssembly.Module(wasm as BufferSource);
  }

  /** What the guest logged during the last call, as `level message`. */
  get logs(): string[] {
    return (this.#capabilities?.logs ?? []).map(({ level, message }) => `${level} ${message}`);
  }

  get imports(): string[] {
    return WebAssembly.Module.imports(this.#module).map(({ module, name }) => `${module}.${name}`);
  }

  call(request: TestRequest): TestResponse {
    const exports = this.#instantiate();
    const parts = requestParts(request);
    const length = requestFrameLength(parts);
    const at = exports.alloc(length) >>> 0;
    writeRequestFrame(parts, Buffer.from(exports.memory.buffer), at);
    const packed = BigInt.asUintN(64, exports.handle(at, length));
    const bytes = Buffer.from(exports.memory.buffer);
    const reader = new ResponseReader({ maxBodyBytes: 1 << 24, ...DEFAULT_HEADER_LIMITS });
    const refusal = reader.read(bytes, Number(packed >> 32n), Number(packed & 0xffffffffn));
    if (refusal !== null) throw new Error(`The response was refused: ${refusal}`);
    return {
      status: reader.status,
      headers: Object.fromEntries(
        reader.headers
          .toString('latin1')
          .split('\r\n')
          .filter((line) => line !== '')
          .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
      ),
      body: Buffer.from(bytes.subarray(reader.bodyStart, reader.bodyEnd)),
    };
  }

  #instantiate(): GuestExports {
    let memory: WebAssembly.Memory | null = null;
    this.#capabilities = new Capabilities({
      memory: () => Buffer.from((memory as WebAssembly.Memory).buffer),
      markWritten: () => undefined,
      env: this.config,
    });
    const instance = new WebAssembly.Instance(this.#module, this.#capabilities.imports);
    const exports = instance.exports as unknown as GuestExports;
    memory = exports.memory;
    return exports;
  }
}

interface GuestExports {
  readonly memory: WebAssembly.Memory;
  readonly alloc: (length: number) => number;
  readonly handle: (at: number, length: number) => bigint;
}
