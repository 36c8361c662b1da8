/** The modules that go into an image, built or read. */
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import assemblyscript from 'assemblyscript/package.json' with { type: 'json' };
import type { FunctionModule } from '../../artifacts/oci/function-artifact.ts';
import { PLATFORMS, type PlatformName } from '../../artifacts/oci/image.ts';
import type { Ingredient } from '../../artifacts/oci/sbom.ts';
import { buildFunction } from '../../build/build.ts';
import { findSource } from '../../build/source.ts';
import type { Environment } from '../../config/substitute.ts';
import { MayflyError } from '../../model/errors.ts';
import { VERSION } from '../../model/version.ts';
import { type NamedSource, sourcesAt } from '../sources.ts';

export interface ModuleOrder {
  /** As for `mayfly build`. */
  readonly path: string;
  /** Which one, when the configuration has several. */
  readonly function?: string | undefined;
  /** File of the pod. */
  readonly pod?: string | undefined;
  /** `linux/amd64=FILE` */
  readonly compiled: readonly string[];
}

export interface Modules {
  readonly name: string;
  readonly pod: Uint8Array | null;
  readonly compiled: Partial<Readonly<Record<PlatformName, Uint8Array>>>;
  readonly function: FunctionModule | null;
  readonly libraries: readonly Ingredient[];
}

/** A `.wasm` that serves by itself is the pod; anything else is a function. Throws MayflyError. */
export async function buildModules(order: ModuleOrder, env: Environment): Promise<Modules> {
  const compiled = Object.fromEntries(order.compiled.map(readCompiled));
  const { name: given, ...options } = choose(sourcesAt(order.path, env, undefined), order.function);
  const name = imageName(basename(given, extname(given)));
  const pod = order.pod === undefined ? null : readModule(order.pod);
  if (options.source.endsWith('.wasm') && options.command === undefined) {
    const wasm = readModule(options.source);
    if (isPod(wasm)) return { name, pod: wasm, compiled, function: null, libraries: [] };
  }
  if (pod === null && order.compiled.length > 0) {
    throw usage('A compiled pod needs the portable one beside it', 'give it with --pod');
  }
  const { wasm, kind } = await buildFunction(options);
  return { name, pod, compiled, function: { name, kind, wasm }, libraries: await librariesOf(options) };
}

/** Does a module serve by itself? A function never opens a socket. */
export function isPod(wasm: Uint8Array): boolean {
  try {
    const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>);
    return WebAssembly.Module.imports(module).some(({ name }) => /^sock_(open|accept)/.test(name));
  } catch {
    // Not WebAssembly at all: what builds functions says so better.
    return false;
  }
}

/** `a=b` → [a, b]. Throws MayflyError. */
export function splitPair(pair: string, option: string): [string, string] {
  const equals = pair.indexOf('=');
  if (equals < 1) throw usage(`${option} must be NAME=VALUE`, pair.slice(0, 40));
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}

function choose(sources: readonly NamedSource[], wanted: string | undefined): NamedSource {
  const names = sources.map(({ name }) => name).join(', ');
  const found = wanted === undefined ? sources : sources.filter(({ name }) => name === wanted);
  if (found.length === 1) return found[0] as NamedSource;
  if (wanted !== undefined) throw usage(`There is no function ${JSON.stringify(wanted)}`, names);
  throw usage(
    `An image holds one function, and there are ${sources.length}`,
    `choose with --function: ${names}`,
  );
}

function readCompiled(pair: string): [string, Uint8Array] {
  const [platform, file] = splitPair(pair, '--aot');
  if ((PLATFORMS as readonly string[]).includes(platform)) return [platform, readModule(file)];
  throw usage(`There is no platform ${JSON.stringify(platform)} here`, PLATFORMS.join(', '));
}

function readModule(file: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw usage(`Cannot read the module: ${code === 'ENOENT' ? 'there is no such file' : message}`, file);
  }
  if (Buffer.from(bytes.subarray(0, 4)).toString('latin1') === '\0asm') return bytes;
  throw usage('This is not a WebAssembly module', file);
}

/** What the compiler put into the module besides the author's own code. */
async function librariesOf({ source, command }: Omit<NamedSource, 'name'>): Promise<readonly Ingredient[]> {
  if (command !== undefined || (await findSource(source)).type !== 'assemblyscript') return [];
  const library = (name: string, version: string): Ingredient => ({
    type: 'library',
    name,
    version,
    purl: `pkg:npm/${name}@${version}`,
    license: 'Apache-2.0',
  });
  return [library('assemblyscript', assemblyscript.version), library('mayfly', VERSION)];
}

/** Names of files may hold what names of images may not. */
function imageName(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return name === '' ? 'function' : name;
}

function usage(what: string, where: string): MayflyError {
  return new MayflyError(what, { where, exitCode: 2, code: 'usage' });
}
