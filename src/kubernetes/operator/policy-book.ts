/** What is wrong with the Rego of Policies. It is compiled once for each content, before any gateway is given it. */
import type { KubeObject } from '../cluster/objects.ts';
import { hashOf } from '../isolate/files.ts';
import { POLICY } from '../resources/kinds.ts';
import { parseSpec } from '../resources/parse.ts';
import type { PolicySpec } from '../resources/policy.ts';

/** A sentence; null: nothing. Rejects when it cannot be found out now. */
export type CheckRego = (policy: Pick<PolicySpec, 'rego' | 'rule'>) => Promise<string | null>;

const MOST_REMEMBERED = 10_000;

export class PolicyBook {
  readonly #check: CheckRego;
  readonly #verdicts = new Map<string, Promise<string | null> | string | null>();

  constructor(check: CheckRego) {
    this.#check = check;
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
    const checked = known ?? this.#check(policy);
    this.#verdicts.set(key, checked);
    try {
      this.#verdicts.set(key, await checked);
    } catch (error) {
      this.#verdicts.delete(key);
      throw error;
    }
    if (this.#verdicts.size <= MOST_REMEMBERED) return;
    const [oldest] = this.#verdicts.keys();
    if (oldest !== undefined) this.#verdicts.delete(oldest);
  }
}

function keyOf({ rego, rule }: PolicySpec): string {
  return hashOf(JSON.stringify([rego, rule]));
}
