/**
 * The life of a deploy up to the point where something changes:
 * source → build → validate → prepare → compile → probe. What comes after (store → revision → publish → the old one drains)
 * is `ControlPlane.deploy` in plane.ts. Every error says which step it came from.
 */
import { digestOf } from '../artifacts/digest.ts';
import type { CodeSource, ImageSource, ImageTrust, PathSource } from '../model/code-source.ts';
import { MayflyError } from '../model/errors.ts';
import type { Kind, Limits, RevisionSpec } from '../model/function.ts';
import type { LoadedModule, ModuleShelf } from './modules.ts';
import type { Configuration, Revision } from './records.ts';

export type DeployStep =
  | 'source'
  | 'build'
  | 'pull'
  | 'validate'
  | 'prepare'
  | 'compile'
  | 'probe'
  | 'store'
  | 'revision'
  | 'publish';

/** Where the code comes from: a path on this machine, a registry, or bytes that somebody sent. */
export type Source =
  | CodeSource
  | { readonly type: 'upload'; readonly wasm: Uint8Array; readonly label: string };

/** The tools of the steps; platform/ gives the real ones. Each throws MayflyError for what the user can repair. */
export interface Toolchain {
  /** A `.wasm` file is read, a folder is built. */
  build(source: PathSource): Promise<Uint8Array>;
  /** Fetches the module in an image, its digest and signature checked. */
  pull(source: ImageSource, trust: ImageTrust): Promise<Uint8Array>;
  /** Tells the kind from the exports; refuses imports outside the contract by name, and what breaks a limit. */
  validate(wasm: Uint8Array, limits: Limits): { readonly kind: Kind };
  /** The rewriter (runtime/prepare). */
  prepare(wasm: Uint8Array, limits: Limits): { readonly wasm: Uint8Array; readonly info: unknown };
  /** Instantiates and initialises once, away from this thread and under a CPU budget. */
  probe(revision: RevisionSpec): Promise<void>;
}

export interface CandidateOrder {
  readonly function: string;
  readonly wasm: Uint8Array;
  readonly configuration: Configuration;
  /** Where the bytes came from, for people. */
  readonly source: string;
}

/** Code that may become a revision: it validated, compiled and started. */
export interface Candidate extends CandidateOrder {
  readonly digest: string;
  readonly kind: Kind;
  readonly loaded: LoadedModule;
}

/** The smallest module: stands where the code of a function that runs elsewhere would. */
const NO_CODE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

export const MAX_MODULE_BYTES = 64 * 1024 * 1024;

/** source and build. Code that is not WebAssembly at all is told from code that is bad WebAssembly. */
export async function readSource(
  name: string,
  source: Source,
  tools: Toolchain,
  trust: ImageTrust,
): Promise<Uint8Array> {
  const wasm = await readBytes(name, source, tools, trust);
  return inStep(name, 'source', () => {
    const where = describeSource(source);
    if (wasm.length > MAX_MODULE_BYTES) {
      throw new MayflyError(`the module has ${wasm.length} bytes, more than ${MAX_MODULE_BYTES}`, {
        where,
        code: 'module-too-large',
      });
    }
    if (Buffer.from(wasm.subarray(0, 4)).toString('latin1') !== '\0asm') {
      throw new MayflyError('this is not a WebAssembly module', {
        where,
        fix: 'Deploy a .wasm file, or a folder with the source of a function.',
        exitCode: 2,
        code: 'not-wasm',
      });
    }
    return wasm;
  });
}

function readBytes(name: string, source: Source, tools: Toolchain, trust: ImageTrust): Promise<Uint8Array> {
  switch (source.type) {
    case 'path':
      return inStep(name, 'build', () => tools.build(source));
    case 'image':
      return inStep(name, 'pull', () => tools.pull(source, trust));
    case 'upstream':
      return Promise.resolve(NO_CODE);
    case 'upload':
      return Promise.resolve(source.wasm);
  }
}

export function describeSource(source: Source): string {
  switch (source.type) {
    case 'path':
      return source.path;
    case 'image':
      return source.reference;
    case 'upstream':
      return source.url;
    case 'upload':
      return source.label;
  }
}

/** validate, prepare, compile, probe. Nothing outside has changed when it returns or throws. */
export async function makeCandidate(
  order: CandidateOrder,
  tools: Toolchain,
  shelf: ModuleShelf,
): Promise<Candidate> {
  const { function: name, wasm } = order;
  const { limits } = order.configuration;
  const digest = digestOf(wasm);
  if (order.configuration.upstream !== undefined) return elsewhere(order, digest);
  const { kind } = await inStep(name, 'validate', () => tools.validate(wasm, limits));
  const loaded =
    shelf.get({ digest, configuration: order.configuration }) ??
    (await prepareAndCompile(name, wasm, limits, tools));
  const { module, prepared } = loaded;
  const revision = { function: name, number: 0, id: `${name}-candidate`, digest, kind, module, prepared };
  await inStep(name, 'probe', () => tools.probe({ ...revision, ...order.configuration }));
  return { ...order, digest, kind, loaded };
}

async function elsewhere(order: CandidateOrder, digest: string): Promise<Candidate> {
  if (!isNoCode(order.wasm)) {
    throw new MayflyError(
      `Cannot deploy ${JSON.stringify(order.function)}: it runs elsewhere and takes no code`,
      {
        where: order.configuration.upstream?.url,
        fix: 'Deploy it there, or give it a source instead of an upstream in mayfly.yaml.',
        exitCode: 2,
        code: 'runs-elsewhere',
      },
    );
  }
  const loaded = { module: await WebAssembly.compile(NO_CODE), prepared: null };
  return { ...order, digest, kind: 'upstream', loaded };
}

function isNoCode(wasm: Uint8Array): boolean {
  return Buffer.compare(wasm, NO_CODE) === 0;
}

/** Brings a revision that was deployed earlier back from its artifact; it was probed then. */
export async function loadRevision(
  revision: Revision,
  wasm: Uint8Array,
  tools: Toolchain,
): Promise<LoadedModule> {
  return prepareAndCompile(revision.function, wasm, revision.configuration.limits, tools);
}

async function prepareAndCompile(
  name: string,
  wasm: Uint8Array,
  limits: Limits,
  tools: Toolchain,
): Promise<LoadedModule> {
  if (isNoCode(wasm)) return { module: await WebAssembly.compile(NO_CODE), prepared: null };
  const prepared = await inStep(name, 'prepare', () => tools.prepare(wasm, limits));
  const module = await inStep(name, 'compile', () =>
    WebAssembly.compile(prepared.wasm as Uint8Array<ArrayBuffer>),
  );
  return { module, prepared: prepared.info };
}

/**
 * Runs one step; its error keeps place, advice and code, and gets the function and the step in front. What is neither a
 * MayflyError nor the engine's verdict about the module is a fault of ours, code `internal`.
 */
export async function inStep<T>(name: string, step: DeployStep, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const known = error instanceof MayflyError ? error : undefined;
    const code = error instanceof WebAssembly.CompileError ? 'compile-failed' : 'internal';
    const detail = known?.what ?? (error as Error).message;
    throw new MayflyError(`Cannot deploy ${JSON.stringify(name)}, step ${step}: ${detail}`, {
      where: known?.where,
      fix: known?.fix,
      exitCode: known?.exitCode,
      code: known?.code ?? code,
      cause: error,
    });
  }
}
