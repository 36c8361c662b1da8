import { createHash } from 'node:crypto';
import { MayflyError } from '../model/errors.ts';
import type { PolicySpec } from '../model/snapshot.ts';
import { OPA_VERSION } from './compiler/asset.ts';
import { runCompiler } from './compiler/run.ts';
import type { CompilerAnswer, CompilerProblem, RuleListing, SourceLocation } from './compiler/protocol.ts';
import { WasmEvaluator } from './wasm-evaluator.ts';
import { hostBuiltins } from './builtins/host.ts';

export interface PolicySources {
  /** File name (as messages shall show it) → Rego text, old or new syntax. */
  readonly files: Readonly<Record<string, string>>;
  /** The `data` document beside the rules. */
  readonly data?: unknown;
  /** `shop/allow` for `data.shop.allow`. */
  readonly entrypoints: readonly string[];
}

export interface CompiledPolicy {
  /** `sha256:<hex>` of sources, data, entrypoints and compiler version. */
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
export async function compilePolicy(sources: PolicySources): Promise<CompiledPolicy> {
  const answer = await runCompiler({
    modules: sources.files,
    entrypoints: sources.entrypoints,
    tests: false,
  });
  refuseErrors(answer);
  const wasm = Uint8Array.fromBase64(answer.wasm as string);
  const data = sources.data ?? {};
  refuseBuiltins(new WasmEvaluator(await WebAssembly.compile(wasm), data), answer);
  return {
    digest: digestOf(sources),
    entrypoints: sources.entrypoints,
    wasm,
    data,
    javascript: null,
    javascriptRefused: 'not translated',
    rules: answer.rules,
  };
}

/** The form that travels to the data plane. */
export async function toSpec(id: string, policy: CompiledPolicy): Promise<PolicySpec> {
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

export function digestOf(sources: PolicySources): string {
  const files = Object.entries(sources.files).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([OPA_VERSION, files, sources.data ?? {}, sources.entrypoints]);
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function refuseErrors(answer: CompilerAnswer): void {
  const first: CompilerProblem | undefined = answer.errors[0];
  if (first === undefined) return;
  throw new MayflyError(`The policy does not compile: ${first.message}`, {
    where: place(first.location),
    code: 'policy-broken',
    exitCode: 2,
  });
}

function refuseBuiltins(evaluator: WasmEvaluator, answer: CompilerAnswer): void {
  const missing = evaluator.requiredBuiltins.find((name) => !hostBuiltins.has(name));
  if (missing === undefined) return;
  throw new MayflyError(`The policy calls ${missing}, which OPA's WebAssembly target does not have`, {
    where: place(answer.builtins[missing] ?? null),
    fix: 'Pass the value in through the input, or ask a running OPA (policy.opa_url).',
    code: 'policy-builtin-unsupported',
    exitCode: 2,
  });
}

function place(at: SourceLocation | null): string | undefined {
  return at === null ? undefined : `${at.file}:${at.row}:${at.column}`;
}
