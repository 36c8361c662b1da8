/** Parts of functions as people read them. */
import type { z } from 'zod';
import type { rollout, route, share } from '../../control/admin/schemas.ts';

/** `GET,POST shop.example/orders` */
export function formatRoute({ methods, host, path }: z.infer<typeof route>): string {
  return `${methods?.join(',') ?? '*'} ${host ?? ''}${path}`;
}

/** `revision 4: 90 %, revision 3: 10 %` */
export function formatTraffic(traffic: readonly z.infer<typeof share>[]): string {
  return traffic.map(({ revision, weight }) => `revision ${revision}: ${weight} %`).join(', ');
}

/** `revision 4: 25 % since 2026-…, step 2 of 3 (5, 25, 50), running: 12 more requests are needed` */
export function formatRollout(view: z.infer<typeof rollout>): string {
  const { candidate, percent, phase, reason, seen, since, stable, step, steps } = view;
  const isOver = phase !== 'running' && phase !== 'paused';
  const what = isOver
    ? `revision ${candidate} instead of ${stable}: ${phase}`
    : `revision ${candidate} instead of ${stable}: ${phase} at ${percent} %, step ${step} of ${steps.length} (${steps.join(', ')}) since ${since}`;
  const answered =
    seen === null
      ? ''
      : `; answered ${seen.candidate.requests}, failed ${seen.candidate.errors}, slow ${seen.candidate.slow}`;
  return `${what}${answered}${reason === null ? '' : `; ${reason}`}`;
}

/** `4 at 25 %`, or nothing while nothing is on its way. */
export function formatRolloutShort(view: z.infer<typeof rollout> | null): string {
  if (view === null || view.phase === 'done' || view.phase === 'aborted') return '';
  if (view.phase === 'rolled-back') return `${view.candidate} rolled back`;
  return `${view.candidate} at ${view.percent} %${view.phase === 'paused' ? ', paused' : ''}`;
}
