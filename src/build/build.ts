import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { MayflyError } from '../model/errors.ts';
import { storeError } from '../model/store-error.ts';
import type { Kind } from '../model/function.ts';
import { inspect } from '../runtime/prepare/inspect.ts';
import { BuildCache, writeWhole } from './cache.ts';
import { runCommand } from './command.ts';
import { Compiler } from './compiler.ts';
import { type Diagnostic, excerpt, formatDiagnostic, formatPlace, type Place } from './diagnostic.ts';
import { ENTRY } from './entry.ts';
import { findSource } from './source.ts';

export interface BuildOptions {
  /** A `.wasm`, a `.ts` in AssemblyScript, or a folder with `function.ts`, `index.ts` or `assembly/index.ts`. */
  readonly source: string;
  /** Where to put the module besides the cache. */
  readonly out?: string | undefined;
  /** Any other language: a command, run in the source's folder, that makes `output` (relative to that folder). */
  readonly command?: string | undefined;
  readonly output?: string | undefined;
  /** Folder of finished builds; default `.mayfly/build` in the source's folder. */
  readonly cache?: string | undefined;
}

export interface BuildResult {
  readonly wasm: Uint8Array;
  /** Where the module lies, absolute. */
  readonly path: string;
  readonly kind: Kind;
  readonly durationMs: number;
  /** Nothing had changed since it was built before. */
  readonly cached: boolean;
  readonly warnings: readonly string[];
}

/**
 * Builds one function. An unchanged source is not built again; the same source always gives the same bytes.
 * With a `compiler` of your own, later builds are several times faster than the first (`mayfly dev`).
 * @throws {MayflyError} `build-failed` with file, line, column and the line itself; `source-missing`, `source-unknown`;
 * whatever `inspect` finds wrong with the module.
 */
export async function buildFunction(options: BuildOptions, compiler?: Compiler): Promise<BuildResult> {
  const started = performance.now();
  const built = await produce(options, compiler);
  let path = built.path;
  if (options.out !== undefined) {
    path = resolve(options.out);
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeWhole(path, built.wasm);
    } catch (error) {
      throw storeError('write the module', path, error);
    }
  }
  const kind = kindOf(built.wasm, path);
  return { ...built, path, kind, durationMs: performance.now() - started };
}

type Built = Pick<BuildResult, 'wasm' | 'path' | 'cached' | 'warnings'>;

async function produce(options: BuildOptions, compiler: Compiler | undefined): Promise<Built> {
  if (options.command !== undefined)
    return await buildByCommand(options.source, options.command, options.output);
  const source = await findSource(options.source);
  if (source.type === 'wasm') {
    return { wasm: await readFile(source.file), path: source.file, cached: false, warnings: [] };
  }
  const folder = compiler?.recipe === 'quick' ? 'build-quick' : 'build';
  const cache = new BuildCache(options.cache ?? join(dirname(source.file), '.mayfly', folder));
  const path = cache.wasmPath(source.file);
  const finished = await cache.find(source.file);
  if (finished !== null) return { ...finished, path, cached: true };
  if (compiler !== undefined) return { ...(await buildAssemblyScript(source.file, cache, compiler)), path };
  await using own = new Compiler();
  return { ...(await buildAssemblyScript(source.file, cache, own)), path };
}

async function buildAssemblyScript(
  file: string,
  cache: BuildCache,
  compiler: Compiler,
): Promise<Omit<Built, 'path'>> {
  const { wasm, diagnostics, seen } = await compiler.compile(file);
  if (wasm === null) throw compileError(file, diagnostics);
  const warnings = diagnostics.map(formatDiagnostic);
  await cache.store(file, wasm, seen, warnings);
  return { wasm, cached: false, warnings };
}

function compileError(file: string, diagnostics: readonly Diagnostic[]): MayflyError {
  const [first, ...more] = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  const { message, place } = first as Diagnostic;
  if (place?.file === join(dirname(file), ENTRY)) {
    return new MayflyError('Cannot build: the file exports no fitting handle function', {
      where: file,
      fix: 'Write: export function handle(request: Request): Response { … }',
      code: 'build-failed',
    });
  }
  const details = [
    place === null ? '' : excerpt(place),
    ...more.map((error) => `\n${formatDiagnostic(error)}`),
  ];
  return new MayflyError(`Cannot build: ${message.replace(/\.$/, '')}`, {
    where: whereOf(file, place),
    fix: details.join(''),
    code: 'build-failed',
  });
}

/** A mistake that shows only inside the SDK or the standard library has no line in the author's file. */
function whereOf(file: string, place: Place | null): string {
  if (place === null) return file;
  return place.file.startsWith('~lib/') ? `${file}, seen in ${formatPlace(place)}` : formatPlace(place);
}

async function buildByCommand(source: string, command: string, output: string | undefined): Promise<Built> {
  if (output === undefined) {
    throw new MayflyError('Cannot build: the build command has no output', {
      where: command,
      fix: 'Say which file it makes: build: { command, output }.',
      exitCode: 2,
      code: 'source-unknown',
    });
  }
  const found = await stat(source).catch(() => null);
  const folder = found?.isDirectory() ? resolve(source) : dirname(resolve(source));
  await runCommand(command, folder);
  const path = resolve(folder, output);
  try {
    return { wasm: await readFile(path), path, cached: false, warnings: [] };
  } catch (cause) {
    throw new MayflyError('Cannot build: the command made no such file', {
      where: path,
      fix: `Check \`output\`, or what "${command}" makes.`,
      code: 'build-failed',
      cause,
    });
  }
}

/** Whatever is wrong with the module, say which file it is. */
function kindOf(wasm: Uint8Array, path: string): Kind {
  try {
    return inspect(wasm).kind;
  } catch (error) {
    if (!(error instanceof MayflyError)) throw error;
    const { what, where, fix, code, exitCode } = error;
    throw new MayflyError(what, {
      where: where === undefined ? path : `${path}, ${where}`,
      fix,
      code,
      exitCode,
      cause: error,
    });
  }
}
