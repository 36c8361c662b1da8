/** What is worth another attempt, and when: pure decisions. */
import { retryAfterMs } from '../../../model/retry-after.ts';
import type { Answer } from './http.ts';

export const MAX_ATTEMPTS = 6;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** Longer than this nobody wants to wait for a registry that names a time. */
const LONGEST_ASKED_MS = 60_000;

const PASSING = new Set([408, 429, 500, 502, 503, 504]);

export function isPassing(status: number): boolean {
  return PASSING.has(status);
}

/** Milliseconds before attempt number `attempt` (from 1), doubling, spread by `random` from 0 to 1. */
export function pauseBefore(attempt: number, random: number): number {
  const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
  return Math.round(most * (0.5 + random / 2));
}

/** What the registry asks for by `Retry-After`, within reason; null: nothing. */
export function askedPause(answer: Pick<Answer, 'header'>, now: number): number | null {
  const asked = retryAfterMs(answer.header('retry-after'), now);
  return asked === null ? null : Math.min(asked, LONGEST_ASKED_MS);
}
