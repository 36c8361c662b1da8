/**
 * AssemblyScript to WebAssembly. Runs in the compiler thread (compiler-thread.ts): a compilation keeps a core busy.
 */
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { type Diagnostic, diagnosticOf } from './diagnostic.ts';
import { ENTRY, entrySource } from './entry.ts';
import { type FilesSeen, readSource } from './source-files.ts';

// The package's emitted JavaScript lies one folder deeper (dist/src/build) than the sources of a clone (src/build).
const ROOT = import.meta.url.endsWith('.ts') ? '../../' : '../../../';

/** `import … from "mayfly"` finds the folder of that name in here. */
const SDK = fileURLToPath(new URL(`${ROOT}sdk/assemblyscript/assembly`, import.meta.url));

/**
 * - stub: memory is handed out and never taken back; an instance lives for one request, so a collector has nothing to do.
 * - optimizeLevel 1: as small and as fast as 3 (measured on examples/flash-sale), in two thirds of the time.
 * - abort: what traps says so in the function's log first.
 * - simd: the SDK reads and writes text sixteen bytes at a time.
 * - noAssert: drops the standard library's `assert()`s about itself; bounds checks stay.
 */
const OPTIONS = [
  ['--runtime', 'stub'],
  ['--use', 'abort=~lib/mayfly/abort/abort'],
  ['--noAssert'],
  ['--enable', 'simd'],
  ['--path', SDK],
  ['--noColors'],
].flat();
const OPTIMIZED = ['--optimizeLevel', '1', '--shrinkLevel', '1'];
/** In less than half the time, for somebody who waits for it: the module is larger and slower. */
const QUICK = ['--optimizeLevel', '0', '--shrinkLevel', '0'];
/**
 * The server of a pod (pod/assembly) brings its own entry and uses nothing of the SDK. It serves many requests, also where
 * it is interpreted: every instruction counts, and so does the size of the image.
 */
const SERVER = [
  ['--runtime', 'stub'],
  ['--use', 'abort='],
  ['--noAssert'],
  ['--enable', 'simd'],
  ['--optimizeLevel', '3'],
  ['--shrinkLevel', '1'],
  ['--converge'],
  ['--noColors'],
].flat();

/** What is compiled: a function, the same without optimising, or the server of a pod. */
export type Recipe = 'function' | 'quick' | 'server';

export interface Compilation {
  /** null when there are errors. */
  readonly wasm: Uint8Array | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly seen: FilesSeen;
}

/** Compiles `file`, the absolute path of a `.ts`. */
export async function compile(file: string, recipe: Recipe): Promise<Compilation> {
  const folder = dirname(file);
  const seen: FilesSeen = {};
  const diagnostics: Diagnostic[] = [];
  const texts = new Map<string, string>();
  let wasm: Uint8Array | null = null;
  const entry = join(folder, ENTRY);
  const specifier = `./${relative(folder, file).split(sep).join('/').slice(0, -'.ts'.length)}`;

  const isServer = recipe === 'server';
  const options = [
    ...(isServer ? SERVER : [...OPTIONS, ...(recipe === 'quick' ? QUICK : OPTIMIZED)]),
    '--baseDir',
    folder,
    '--outFile',
    'function.wasm',
  ];
  const { error } = await asc.main([isServer ? basename(file) : ENTRY, ...options], {
    stdout: asc.createMemoryStream(),
    stderr: asc.createMemoryStream(),
    readFile: async (name, base) => {
      const path = resolve(base, name);
      if (path === entry) return entrySource(specifier);
      const text = await readSource(path, seen);
      if (text !== null) texts.set(path, text);
      return text;
    },
    writeFile: (_name, content) => {
      if (typeof content !== 'string') wasm = content;
    },
    listFiles: () => [],
    reportDiagnostic: (message) => {
      diagnostics.push(diagnosticOf(message, folder, texts));
    },
  });
  const failed = diagnostics.some((diagnostic) => diagnostic.severity === 'error');
  if (error !== null && !failed) throw error;
  return { wasm: failed ? null : wasm, diagnostics, seen };
}
