/**
 * How strongly counts speak against a revision. The answer is an e-value: what somebody who bets a coin against "it is as good
 * as it should be" would have by now. If the revision is as good as it should be, the chance that it ever reaches 1/α, however
 * often one looks, is at most α (Ville's inequality). That is why a rollout may look every second and go back at once.
 *
 * The bet is the Krichevsky–Trofimov mixture (Beta(½, ½); IEEE Trans. Inf. Theory 27, 1981) over the largest likelihood that
 * the claim allows: "universal inference" of Wasserman, Ramdas and Balakrishnan, PNAS 117, 2020, §7–8.
 * Requests are taken to fail independently of each other.
 */

/** Bad ones among all. */
export interface Tally {
  readonly bad: number;
  readonly all: number;
}

/** Natural logarithm of the e-value against "at most `share` of its requests are bad". */
export function evidenceAbove(tally: Tally, share: number): number {
  const likeliest = Math.min(rateOf(tally), share);
  return logMixture(tally) - logLikelihood(tally, likeliest);
}

/** Natural logarithm of the e-value against "its requests are not bad more often than those of the other". */
export function evidenceWorse(tally: Tally, other: Tally): number {
  const numerator = logMixture(tally) + logMixture(other);
  if (rateOf(tally) <= rateOf(other)) {
    return numerator - logLikelihood(tally, rateOf(tally)) - logLikelihood(other, rateOf(other));
  }
  // Under the claim, counts like these are likeliest when both have the same rate.
  const together = { bad: tally.bad + other.bad, all: tally.all + other.all };
  return numerator - logLikelihood(together, rateOf(together));
}

export function rateOf({ bad, all }: Tally): number {
  return all === 0 ? 0 : bad / all;
}

function logLikelihood({ bad, all }: Tally, rate: number): number {
  return times(bad, Math.log(rate)) + times(all - bad, Math.log1p(-rate));
}

/** What never happened says nothing: 0 · −∞ is 0 here. */
function times(count: number, logarithm: number): number {
  return count === 0 ? 0 : count * logarithm;
}

/** ∫ pᵇ (1−p)ⁿ⁻ᵇ over Beta(½, ½), as a logarithm. */
function logMixture({ bad, all }: Tally): number {
  return logGamma(bad + 0.5) + logGamma(all - bad + 0.5) - logGamma(all + 1) - Math.log(Math.PI);
}

/** Stirling's series (Abramowitz and Stegun 6.1.41) for x > 0, pushed up by Γ(x + 1) = x Γ(x) to where it is exact to 1e-12. */
function logGamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 10; at++) shift += Math.log(at);
  const inverse = 1 / (at * at);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / at;
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
