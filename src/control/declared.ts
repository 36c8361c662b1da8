/** A function of the file, its code read and built: one revision, or two where it has a canary. */
import { digestOf } from '../artifacts/digest.ts';
import type { CodeSource, ImageTrust } from '../model/code-source.ts';
import type { RolloutPlan } from '../rollout/plan.ts';
import type { BlueprintFunction } from './blueprint.ts';
import { describeSource, readSource, type CandidateOrder, type Toolchain } from './deploy.ts';
import { revisionKey, type Revision } from './records.ts';

export interface BuiltFunction {
  readonly main: CandidateOrder;
  readonly canary: CandidateOrder | null;
  /** Percent that the canary gets. */
  readonly weight: number;
  readonly plan: RolloutPlan | null;
  /** Changes when anything of this changes that the file decides about. */
  readonly fileKey: string;
}

export async function buildDeclared(
  declared: BlueprintFunction,
  tools: Toolchain,
  trust: ImageTrust,
): Promise<BuiltFunction> {
  const { name, configuration, canary: other = null, rollout: plan } = declared;
  const build = async (source: CodeSource): Promise<CandidateOrder> => {
    const wasm = await readSource(name, source, tools, trust);
    return { function: name, wasm, configuration, source: describeSource(source) };
  };
  const main = await build(declared.source);
  if (other === null) return { main, canary: null, weight: 0, plan, fileKey: keyOf(main) };
  const canary = await build(other.source);
  const fileKey = `${keyOf(main)} ${other.weight} ${keyOf(canary)}`;
  return { main, canary, weight: other.weight, plan, fileKey };
}

/** A canary with the code of its function is the same revision, which cannot share with itself. */
export function sameRevision(canary: CandidateOrder, revision: Revision): boolean {
  return keyOf(canary) === revisionKey(revision.digest, revision.configuration);
}

/** Of the revision that the order makes, or is. */
export function keyOf({ wasm, configuration }: CandidateOrder): string {
  return revisionKey(digestOf(wasm), configuration);
}
