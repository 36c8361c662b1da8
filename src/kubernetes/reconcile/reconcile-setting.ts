/** What is to be said of a Policy or a RateLimit, which Functions name and which is nothing by itself. Pure. */
import type { KubeObject } from '../cluster/objects.ts';
import type { Action } from './actions.ts';
import { report } from './report.ts';

/** `problem`: why it cannot be used; null: it can. */
export function reconcileSetting(object: KubeObject, problem: string | null, now: number): Action[] {
  if (object.metadata.deletionTimestamp !== undefined) return [];
  const finding =
    problem === null
      ? ({ status: 'True', reason: 'Usable', message: 'Functions can name it' } as const)
      : ({ status: 'False', reason: 'InvalidSpec', message: problem } as const);
  return report(object, [{ type: 'Ready', ...finding }], {}, now);
}
