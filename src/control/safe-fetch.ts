/** A GET whose redirects are looked at before they are followed. */
import { staysSafe } from '../model/safe-way.ts';

const MAX_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Rejects with Error when it is led from TLS to plain HTTP, or on and on. */
export async function safeFetch(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  let at = new URL(url);
  for (let hop = 0; ; hop++) {
    const response = await fetch(at, { headers, signal, redirect: 'manual' });
    const location = response.headers.get('location');
    if (!REDIRECTS.has(response.status) || location === null) return response;
    await response.body?.cancel();
    if (hop === MAX_REDIRECTS) throw new Error(`it redirects more than ${MAX_REDIRECTS} times`);
    at = redirectTarget(at, location);
  }
}

/** Pure. Throws Error where the way is safe no longer. */
export function redirectTarget(from: URL, location: string): URL {
  const to = URL.canParse(location, from) ? new URL(location, from) : null;
  if (to !== null && staysSafe(from, to)) return to;
  throw new Error(`it redirects to where nobody should go: ${JSON.stringify(location.slice(0, 100))}`);
}
