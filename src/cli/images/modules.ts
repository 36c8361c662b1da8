/** The modules that go into an image, built or read. */
import { readFileSync } from 'node:fs';
import assemblyscript from 'assemblyscript/package.json' with { type: 'json' };
import type { FunctionModule } from '../../artifacts/oci/function-artifact.ts';
import { PLATFORMS, type PlatformName } from '../../artifacts/oci/image.ts';
import type { Ingredient } from '../../artifacts/oci/sbom.ts';
import { buildFunction } from '../../build/build.ts';
import { findSource } from '../../build/source.ts';
import type { Environment } from '../../config/substitute.ts';
import { MayflyError } from '../../model/errors.ts';
import { VERSION } from '../../model/version.ts';
import { type PodPlan, planPods } from '../../pods/plan.ts';
import { buildPod } from '../../pods/pod.ts';

export interface ModuleOrder {
  /** As for `mayfly build`. */
  readonly path: string;
  /** Which one, when the configuration has several. */
  readonly function?: string | undefined;
  /** File of the pod; false: none. Default: the function is linked with the server. */
  readonly pod?: string | false | undefined;
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
  const plan = choose(planPods(order.path, env), order.function);
  const { build } = plan;
  const name = imageName(plan.name);
  if (build.source.endsWith('.wasm') && build.command === undefined) {
    const wasm = readModule(build.source);
    if (isPod(wasm)) return { name, pod: wasm, compiled, function: null, libraries: [] };
  }
  if (order.pod === false && order.compiled.length > 0) {
    throw usage('A compiled pod needs the portable one beside it', '--aot with --no-pod');
  }
  const { wasm, kind } = await buildFunction(build);
  const pod = await podOf(plan, order.pod);
  return { name, pod, compiled, function: { name, kind, wasm }, libraries: await librariesOf(build) };
}

async function podOf(plan: PodPlan, given: ModuleOrder['pod']): Promise<Uint8Array | null> {
  if (given === false) return null;
  return readModule(given ?? (await buildPod(plan, {})).path);
}

/** Does a module serve by itself? A function never opens a socket. */
function isPod(wasm: Uint8Array): boolean {
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

function choose(plans: readonly PodPlan[], wanted: string | undefined): PodPlan {
  const names = plans.map(({ name }) => name).join(', ');
  const found = wanted === undefined ? plans : plans.filter(({ name }) => name === wanted);
  if (found.length === 1) return found[0] as PodPlan;
  if (wanted !== undefined) throw usage(`There is no function ${JSON.stringify(wanted)}`, names);
  throw usage(
    `An image holds one function, and there are ${plans.length}`,
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
async function librariesOf({ source, command }: PodPlan['build']): Promise<readonly Ingredient[]> {
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
