/**
 * What a `Retry-After` field asks for, seconds or a date (RFC 9110 §10.2.3), in milliseconds from `now`, a Unix time in
 * milliseconds; null: nothing that makes sense.
 */
export function retryAfterMs(value: string | undefined, now: number): number | null {
  const text = value?.trim() ?? '';
  if (text === '') return null;
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(wait) && wait >= 0 ? wait : null;
}
