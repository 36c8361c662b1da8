import type { Snapshot } from '../model/snapshot.ts';
import { createEvaluator } from '../policy/evaluator.ts';
import type { Evaluator } from '../policy/types.ts';

/** Evaluators by policy id; one that did not change is kept with its caches. */
export class Evaluators {
  byId: ReadonlyMap<string, Evaluator> = new Map();
  #digests: ReadonlyMap<string, string> = new Map();

  follow(snapshot: Snapshot): void {
    const byId = new Map<string, Evaluator>();
    for (const policy of snapshot.policies) {
      const { wasm } = policy;
      if (wasm === null) continue;
      const same = this.#digests.get(policy.id) === policy.digest ? this.byId.get(policy.id) : undefined;
      byId.set(policy.id, same ?? createEvaluator({ ...policy, wasm }));
    }
    this.byId = byId;
    this.#digests = new Map(snapshot.policies.map(({ id, digest }) => [id, digest]));
  }
}
