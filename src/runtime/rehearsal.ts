import type { Guest } from './guest.ts';
import { sampleRequest } from './sample-request.ts';

const SAMPLES = [sampleRequest('GET', '/', ''), sampleRequest('POST', '/', '{}')];

/**
 * Runs requests that nobody sent, each for `budgetMs` of CPU at most, and forgets how they end: what a first run costs more
 * than a second one (the engine compiles a function when it is first called, memory gets pages when it is first
 * written) is not paid by the first customer. False: the guest cannot be put back to its fresh state; dispose of it.
 */
export function rehearse(guest: Guest, budgetMs: number): boolean {
  for (const sample of SAMPLES) {
    guest.run(sample, budgetMs);
    if (!guest.restore()) return false;
  }
  return true;
}
