/**
 * What is wrong with the Rego of Policies, and what the rules of gateways come to: compiled once for each content, before any
 * gateway is given it.
 */
import type { KubeObject } from '../cluster/objects.ts';
import { compiledFile, hashOf, type PlacedFile } from '../isolate/files.ts';
import type { GatewayRules } from '../isolate/named-settings.ts';
import { POLICY } from '../resources/kinds.ts';
import { parseSpec } from '../resources/parse.ts';
import type { PolicySpec } from '../resources/policy.ts';

/** Rejects when it cannot be found out now. */
export interface RegoCompiler {
  /** What is wrong, a sentence; null: nothing. */
  check(policy: Pick<PolicySpec, 'rego' | 'rule'>): Promise<string | null>;
  /** A file that spares pods the compiler, called as they look for it; null: these rules do not compile together. */
  compile(rules: GatewayRules): Promise<{ readonly name: string; readonly bytes: Uint8Array } | null>;
}

const MOST_REMEMBERED = 10_000;
/** Some 100 KB each. */
const MOST_COMPILED = 100;

export class PolicyBook {
  readonly #compiler: RegoCompiler;
  readonly #verdicts = new Map<string, Promise<string | null> | string | null>();

  readonly #compiled = new Map<string, PlacedFile | null>();

  constructor(compiler: RegoCompiler) {
    this.#compiler = compiler;
  }

  /** Makes sure that `verdict` knows these. */
  async learn(policies: readonly KubeObject[]): Promise<void> {
    for (const object of policies) {
      const parsed = parseSpec(POLICY, object);
      if ('spec' in parsed) await this.#learn(parsed.spec);
    }
  }

  /** Of one that was learnt. */
  verdict(policy: PolicySpec): string | null {
    const verdict = this.#verdicts.get(keyOf(policy));
    if (verdict === null || typeof verdict === 'string') return verdict;
    throw new Error('learn() comes first');
  }

  async #learn(policy: PolicySpec): Promise<void> {
    const key = keyOf(policy);
    const known = this.#verdicts.get(key);
    if (known === null || typeof known === 'string') return;
    const checked = known ?? this.#compiler.check(policy);
    this.#verdicts.set(key, checked);
    try {
      this.#verdicts.set(key, await checked);
    } catch (error) {
      this.#verdicts.delete(key);
      throw error;
    }
    forgetOldest(this.#verdicts, MOST_REMEMBERED);
  }

  /** Of rules that were compiled; else null. */
  compiled(rules: GatewayRules): PlacedFile | null {
    return this.#compiled.get(hashOf(JSON.stringify(rules))) ?? null;
  }

  /** Makes sure that `compiled` knows these. Whether it is news. */
  async compile(rules: GatewayRules): Promise<boolean> {
    const key = hashOf(JSON.stringify(rules));
    if (this.#compiled.has(key)) return false;
    const made = await this.#compiler.compile(rules);
    this.#compiled.set(key, made === null ? null : compiledFile(made.name, made.bytes));
    forgetOldest(this.#compiled, MOST_COMPILED);
    return made !== null;
  }
}

function forgetOldest(known: Map<string, unknown>, most: number): void {
  if (known.size <= most) return;
  const [oldest] = known.keys();
  if (oldest !== undefined) known.delete(oldest);
}

function keyOf({ rego, rule }: PolicySpec): string {
  return hashOf(JSON.stringify([rego, rule]));
}
