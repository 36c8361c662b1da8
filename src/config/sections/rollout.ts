import { z } from 'zod';
import { duration, integer, path, share } from '../scalars.ts';

const MOST_STEPS = 20;

export const rolloutKeys = {
  interval: duration(100, 86_400_000).describe('How long each step lasts at least.'),
  minRequests: integer(1, 1_000_000).describe(
    'Requests that the new revision must have answered before it gets more.',
  ),
  maxErrorRate: share(0.0001, 1).describe(
    'Share of its requests that may fail: it traps, runs out of time or memory, or answers with 5xx.',
  ),
  maxP99: duration(1, 86_400_000).describe(
    '99 of 100 of its requests must take less. Default: time is not looked at.',
  ),
  steps: z
    .array(integer(1, 99))
    .min(1)
    .max(MOST_STEPS)
    .meta({ kind: 'a list of percentages from 1 to 99' })
    .describe('Percent of the requests that the new revision gets, one step after the other; then all.'),
};

export const DEFAULT_STEPS = [5, 25, 50];

/** New code gets more and more of the requests, or none again. */
export const rollout = z.strictObject({
  steps: rolloutKeys.steps.default(DEFAULT_STEPS),
  interval: rolloutKeys.interval.prefault('30s'),
  min_requests: rolloutKeys.minRequests.prefault(50),
  max_error_rate: rolloutKeys.maxErrorRate.prefault('1%'),
  max_p99: rolloutKeys.maxP99.optional(),
});

/** A second revision with a share that stays as it is written here. */
export const canary = z.strictObject({
  source: path('a .wasm file or a folder, relative to the configuration file, or oci://…@sha256:…').describe(
    'The other code, as `source`. Routes, limits and env are the same.',
  ),
  weight: integer(1, 99).describe('Percent of the requests that it gets.'),
  max_p99: rolloutKeys.maxP99
    .optional()
    .describe('Requests that take longer are counted in mayfly_revision_slow_requests.'),
});
