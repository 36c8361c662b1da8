/** Who gets which share of a function's requests: pure decisions, from numbers of revisions to numbers of revisions. */
import { MayflyError } from '../model/errors.ts';

/** One revision's share. Weights of a function sum to 100; no entry has 0. Sorted by revision, oldest first. */
export interface Share {
  readonly revision: number;
  readonly weight: number;
}

export type Traffic = readonly Share[];

/**
 * Gives `revision` the stated percentage. The rest goes to the one revision that serves most now (of equals, the older),
 * so that never more than two share. 0 ends the revision's part, 100 everybody else's.
 */
export function promote(traffic: Traffic, revision: number, percent: number): Traffic {
  if (!Number.isInteger(percent) || percent < 0 || percent > 100) {
    throw new MayflyError(`Cannot promote: ${percent} is not a percentage`, {
      fix: 'Give a whole number from 0 to 100.',
      exitCode: 2,
      code: 'bad-percentage',
    });
  }
  if (percent === 100) return [{ revision, weight: 100 }];
  const other = busiest(traffic.filter((share) => share.revision !== revision));
  if (other === undefined) {
    throw new MayflyError(`Cannot give revision ${revision} ${percent} %: no other revision takes the rest`, {
      fix: 'Promote it to 100, or promote another revision first.',
      exitCode: 2,
      code: 'bad-percentage',
    });
  }
  const rest = { revision: other.revision, weight: 100 - percent };
  return percent === 0 ? [rest] : inOrder([rest, { revision, weight: percent }]);
}

/**
 * Where `rollback` goes. While two revisions share, back to the older one; else to the newest revision older than the one
 * that serves. `revisions` are the numbers that exist.
 */
export function rollback(traffic: Traffic, revisions: readonly number[], wanted?: number): Traffic {
  const oldestServing = Math.min(...traffic.map((share) => share.revision));
  const target = wanted ?? (traffic.length > 1 ? oldestServing : newestBelow(revisions, oldestServing));
  if (target === undefined) {
    throw new MayflyError(`Cannot roll back: there is no revision before ${oldestServing}`, {
      fix: 'List the revisions with `mayfly inspect` and name one.',
      exitCode: 2,
      code: 'no-such-revision',
    });
  }
  return [{ revision: target, weight: 100 }];
}

/** Two share: `candidate` gets `percent`, from 1 to 99. */
export function split(stable: number, candidate: number, percent: number): Traffic {
  return inOrder([
    { revision: stable, weight: 100 - percent },
    { revision: candidate, weight: percent },
  ]);
}

function newestBelow(revisions: readonly number[], limit: number): number | undefined {
  const older = revisions.filter((number) => number < limit);
  return older.length === 0 ? undefined : Math.max(...older);
}

/** Who gets most; of equals, the older. */
export function busiest(traffic: Traffic): Share | undefined {
  return inOrder(traffic).reduce<Share | undefined>(
    (best, share) => (best === undefined || share.weight > best.weight ? share : best),
    undefined,
  );
}

function inOrder(traffic: Traffic): Traffic {
  return traffic.toSorted((a, b) => a.revision - b.revision);
}
