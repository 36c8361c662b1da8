/** Whether a new revision is worse than it may be: pure, from counts. */
import { formatShare } from './format-share.ts';
import { evidenceAbove, evidenceWorse, rateOf, type Tally } from './evidence.ts';
import { SLOW_SHARE, type Counts, type Figures, type Objective } from './plan.ts';

export type Verdict =
  /** It misses the objective, and it is worse than the old revision; neither is chance. */
  | { readonly is: 'worse'; readonly reason: string }
  /** Both revisions miss the objective, which is no chance: what both need is ill, and nothing can be learnt. */
  | { readonly is: 'both-miss'; readonly reason: string }
  /** It misses the objective so far, which may be chance. */
  | { readonly is: 'in-doubt'; readonly reason: string }
  | { readonly is: 'holds' };

/** A revision that holds its objective is rolled back by chance in at most this share of rollouts. */
export const FALSE_ALARMS = 0.01;
/** Fewer bad requests than this are no ground to go back, whatever the objective. */
const FEWEST_BAD = 3;

interface Criterion {
  readonly allowed: number;
  count(counts: Counts): number;
  describe(tally: Tally): string;
}

/** `window` counts from 1 over all windows of a rollout: each gets 1/(i(i+1)) of the false alarms, which sums to all of them. */
export function judge(objective: Objective, figures: Figures, window: number): Verdict {
  const criteria = criteriaOf(objective);
  const enough = Math.log((criteria.length * window * (window + 1)) / FALSE_ALARMS);
  const verdicts = criteria.map((criterion) => judgeOne(criterion, figures, enough));
  const find = (is: Verdict['is']) => verdicts.find((verdict) => verdict.is === is);
  return find('worse') ?? find('both-miss') ?? find('in-doubt') ?? { is: 'holds' };
}

function criteriaOf({ maxErrorRate, maxP99Ms }: Objective): Criterion[] {
  const errors: Criterion = {
    allowed: maxErrorRate,
    count: (counts) => counts.errors,
    describe: ({ bad, all }) =>
      `${bad} of ${all} requests failed (${formatShare(bad / all)}, allowed ${formatShare(maxErrorRate)})`,
  };
  if (maxP99Ms === null) return [errors];
  const slow: Criterion = {
    allowed: SLOW_SHARE,
    count: (counts) => counts.slow,
    describe: ({ bad, all }) =>
      `${bad} of ${all} requests took longer than ${maxP99Ms} ms (${formatShare(bad / all)}, allowed ${formatShare(SLOW_SHARE)})`,
  };
  return [errors, slow];
}

function judgeOne({ allowed, count, describe }: Criterion, figures: Figures, enough: number): Verdict {
  const tally = (counts: Counts): Tally => ({ bad: count(counts), all: counts.requests });
  const [mine, old] = [tally(figures.candidate), tally(figures.stable)];
  if (rateOf(mine) <= allowed) return { is: 'holds' };
  const reason = describe(mine);
  const proven = (evidence: number) => evidence >= enough;
  const misses = mine.bad >= FEWEST_BAD && proven(evidenceAbove(mine, allowed));
  if (misses && proven(evidenceWorse(mine, old))) {
    return { is: 'worse', reason: `${reason}; before: ${old.bad} of ${old.all}` };
  }
  if (rateOf(old) > allowed && proven(evidenceAbove(old, allowed))) return { is: 'both-miss', reason };
  return { is: 'in-doubt', reason };
}
