import { createHash } from 'node:crypto';
import type { LocalPolicySpec } from '../model/snapshot.ts';
import { CompileCache } from './compile-cache.ts';
import { ASSET_SHA256 } from './compiler/asset.ts';
import type { RuleListing } from './compiler/protocol.ts';
import { runTask } from './worker/run-task.ts';

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
}

export interface CompiledPolicy {
  /** `sha256:<hex>` of sources, data, entrypoints and compiler. */
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
  const { files, entrypoints } = sources;
  const data = sources.data ?? {};
  const digest = digestOf(sources);
  const cache = new CompileCache(options.cacheDir ?? null);
  const cached = await cache.read(digest);
  const { answer, translation } =
    cached === null
      ? await runTask('compile', { request: { modules: files, entrypoints, tests: false }, data })
      : { answer: cached, translation: await runTask('translate', { answer: cached, data }) };
  if (cached === null) await cache.write(digest, answer);
  return {
    digest,
    entrypoints,
    wasm: Uint8Array.fromBase64(answer.wasm as string),
    data,
    javascript: translation.javascript,
    javascriptRefused: translation.refused,
    rules: answer.rules,
  };
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
  const text = JSON.stringify([ASSET_SHA256, OUTPUT_FORM, sorted, data ?? {}, entrypoints]);
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
