/** Runs a WASI command on the product's own WASI, prepared as for a deploy. */
import { createEpochMemory } from '../../src/runtime/epoch-memory.ts';
import { Instance } from '../../src/runtime/instance.ts';
import { prepare } from '../../src/runtime/prepare/prepare.ts';
import { RuntimeThread } from '../../src/runtime/runtime-thread.ts';
import { ErrorStream, InputStream, OutputStream } from '../../src/runtime/wasi/streams.ts';
import { ProcessExit, Wasi } from '../../src/runtime/wasi/wasi.ts';

export interface Program {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array;
}

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function runProgram(
  wasm: Uint8Array,
  { args = [], env = {}, stdin = Buffer.alloc(0) }: Program,
): Ended {
  const thread = new RuntimeThread(createEpochMemory());
  const prepared = prepare(wasm, { memoryBytes: 64 * 2 ** 20 });
  let instance: Instance | null = null;
  const bound = () => instance as Instance;
  const host = {
    memory: () => bound().bytes,
    markWritten: (pointer: number, length: number) => bound().markWritten(pointer, length),
  };
  const [input, output, errors] = [new InputStream(), new OutputStream(), new ErrorStream()];
  const wasi = new Wasi(host, input, output, errors);
  wasi.args = ['program', ...args].map((text) => Buffer.from(text));
  wasi.environment = Object.entries(env).map(([name, value]) => Buffer.from(`${name}=${value}`));
  input.open(Buffer.from(stdin), 0, stdin.length);
  output.open(2 ** 20);
  errors.open();
  const module = new WebAssembly.Module(prepared.wasm);
  Instance.create(
    thread,
    module,
    prepared.info,
    { wasi_snapshot_preview1: wasi.imports },
    { created: (it) => (instance = it), initialize: () => undefined },
  );
  bound().arm(60_000);
  let exitCode = 0;
  try {
    (bound().exports['_start'] as () => void)();
  } catch (error) {
    if (!(error instanceof ProcessExit)) throw error;
    exitCode = error.status;
  }
  errors.close();
  return {
    exitCode,
    stdout: output.bytes.toString('utf8', 0, output.length),
    stderr: (errors.lines ?? []).map(({ message }) => message).join('\n'),
  };
}
