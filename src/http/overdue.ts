import { BODY_PHASE, HEAD_PHASE, LINGERING } from './phase.ts';
import type { Progress } from './progress.ts';
import type { Sender } from './sender.ts';

/** How long a closing connection still reads and drops, so that the client gets to see the answer. */
const LINGER_MS = 2000;

/**
 * Whether the client keeps a connection longer than it may. Who does not take answers is looked at first, unless it
 * sends a body at the same time; a request that is being handled has the handler's own deadlines.
 *
 * @param now monotonic milliseconds
 */
export function isOverdue(
  phase: number,
  progress: Progress,
  sender: Sender,
  timeoutMs: number,
  now: number,
): boolean {
  if (phase !== BODY_PHASE && sender.hasUnsent) return sender.isTooSlow(timeoutMs, now);
  if (phase === HEAD_PHASE) return progress.lastsLongerThan(timeoutMs, now);
  if (phase === BODY_PHASE) return progress.isTooSlow(timeoutMs, now);
  return phase === LINGERING && progress.lastsLongerThan(LINGER_MS, now);
}
