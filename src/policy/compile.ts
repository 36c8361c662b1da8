import { createHash } from 'node:crypto';
import type { LocalPolicySpec } from '../model/snapshot.ts';
import { CompileCache } from './compile-cache.ts';
import { ASSET_SHA256 } from './compiler/asset.ts';
import type { CompilerAnswer, RuleListing } from './compiler/protocol.ts';
import { warmModule } from './compiler/warm-module.ts';
import { packAnswer, readShipped, shippedName } from './shipped.ts';
import { runTask } from './worker/run-task.ts';
import type { Tasks } from './worker/tasks.ts';

export interface PolicySources {
  /** File name (as messages shall show it) → Rego text, old or new syntax. */
  readonly files: Readonly<Record<string, string>>;
  /** The `data` document beside the rules. */
  readonly data?: unknown;
  /** `shop/allow` for `data.shop.allow`. */
  readonly entrypoints: readonly string[];
}

export interface CompileOptions {
  /** Folder that keeps what was compiled, by digest; null or absent: compile every time (about a second). */
  readonly cacheDir?: string | null;
  /** Folder with policies that were compiled elsewhere (shipped.ts); null or absent: there is none. */
  readonly shippedDir?: string | null;
  /** There will be more to compile soon: keeps the compiler at hand for a minute, which takes some 200 MB. */
  readonly warm?: boolean;
}

export interface CompiledPolicy {
  /** `sha256:<hex>` of sources, data, entrypoints (in any order) and compiler. */
  readonly digest: string;
  readonly entrypoints: readonly string[];
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly data: unknown;
  readonly javascript: string | null;
  readonly javascriptRefused: string | null;
  readonly rules: readonly RuleListing[];
}

/**
 * Compiles Rego with OPA's own compiler, in a thread of its own. Throws MayflyError with file and line
 * when the policy is broken, names a rule that does not exist, or needs a builtin that we do not have.
 */
export async function compilePolicy(
  sources: PolicySources,
  options: CompileOptions = {},
): Promise<CompiledPolicy> {
  const digest = digestOf(sources);
  const { answer, translation } = await made(sources, digest, options);
  return {
    digest,
    entrypoints: sources.entrypoints,
    wasm: Uint8Array.fromBase64(answer.wasm as string),
    data: sources.data ?? {},
    javascript: translation.javascript,
    javascriptRefused: translation.refused,
    rules: answer.rules,
  };
}

/** A compiled policy as a file that spares others the work. Throws as `compilePolicy` does. */
export async function compileForOthers(
  sources: PolicySources,
): Promise<{ readonly name: string; readonly bytes: Uint8Array }> {
  const { answer } = await compiled(sources, true);
  return { name: shippedName(digestOf(sources)), bytes: await packAnswer(answer) };
}

type Made = ReturnType<Tasks['compile']>;

async function made(sources: PolicySources, digest: string, options: CompileOptions): Promise<Made> {
  const { cacheDir = null, shippedDir = null, warm = false } = options;
  const cache = new CompileCache(cacheDir);
  const shipped = shippedDir === null ? null : await readShipped(shippedDir, digest);
  const known = (await translated(shipped, sources)) ?? (await translated(await cache.read(digest), sources));
  if (known !== null) return known;
  const fresh = await compiled(sources, warm);
  await cache.write(digest, fresh.answer);
  return fresh;
}

async function compiled({ files, data = {}, entrypoints }: PolicySources, warm: boolean): Promise<Made> {
  const request = { modules: files, entrypoints: entrypoints.toSorted(), tests: false };
  const compiler = warm ? { compiler: await warmModule() } : {};
  return await runTask('compile', { request, data, ...compiler });
}

/** Null: there is none, or nothing can be made of it. */
async function translated(answer: CompilerAnswer | null, { data = {} }: PolicySources): Promise<Made | null> {
  if (answer === null) return null;
  try {
    return { answer, translation: await runTask('translate', { answer, data }) };
  } catch {
    return null;
  }
}

/** The form that travels to the data plane. */
export async function toSpec(id: string, policy: CompiledPolicy): Promise<LocalPolicySpec> {
  return {
    id,
    digest: policy.digest,
    entrypoints: policy.entrypoints,
    wasm: await WebAssembly.compile(policy.wasm),
    javascript: policy.javascript,
    javascriptRefused: policy.javascriptRefused,
    data: policy.data,
    opaUrl: null,
  };
}

/** Changes with what is done to the compiler's output: what was kept in an older form is compiled anew. */
const OUTPUT_FORM = 'guarded replace';

function digestOf({ files, data, entrypoints }: PolicySources): string {
  const sorted = Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([ASSET_SHA256, OUTPUT_FORM, sorted, data ?? {}, entrypoints.toSorted()]);
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
