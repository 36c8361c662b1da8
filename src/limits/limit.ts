import { createHash } from 'node:crypto';
import { MayflyError } from '../model/errors.ts';
import type { RateLimitSpec } from '../model/route.ts';

/** The table's clock words are 32 bits: nothing that is compared may span more than a quarter of their range. */
const MAX_SPAN_TICKS = 2 ** 29;
const FINEST_REQUEST_SHIFT = 16;
const SHORTEST_MEMORY_SECONDS = 10;

const MIN_RATE = 0.001;
export const MAX_RATE = 10_000_000;
export const MAX_BURST = 100_000_000;

/**
 * A rate limit, settled for the hot path. How the three numbers of the configuration act:
 *
 * - `requests_per_second` is the refill: one place in the bucket comes back every 1 / rate seconds.
 * - `burst_size` is the bucket: so many requests at once, when the key has been quiet.
 * - `window_size` is the window that the RateLimit-Policy header states, with the most that fits into any such window
 *   (`quota` = burst + rate × window), and the time a quiet key stays in the table. A key is never forgotten before its
 *   bucket is full again, so that forgetting cannot give anything away.
 *
 * Time is counted in ticks, and one request is a power of two of them. The tick therefore depends on the rate; limits
 * with different rates never meet in one table entry, because `identity` is part of every key.
 */
export class RateLimit {
  readonly spec: RateLimitSpec;
  readonly requestShift: number;
  readonly requestTicks: number;
  readonly burstTicks: number;
  readonly ticksPerMs: number;
  /** How long a quiet key is kept at least. */
  readonly rememberSeconds: number;
  /** How far ahead an entry's expiry is set; more than is promised, so that a busy key is renewed only now and then. */
  readonly entrySeconds: number;
  /** Requests accepted at most in any window of `windowSeconds`. */
  readonly quota: number;
  readonly windowSeconds: number;
  /** Hashed into every key of this limit. */
  readonly identity: string;
  /** `identity` in 32 bits, the same in every process. */
  readonly id: number;

  constructor(spec: RateLimitSpec) {
    const { name, requestsPerSecond: rate, burst, windowMs } = spec;
    demand(
      rate >= MIN_RATE && rate <= MAX_RATE,
      name,
      `requests_per_second must be ${MIN_RATE} to ${MAX_RATE}`,
    );
    demand(
      Number.isInteger(burst) && burst >= 1 && burst <= MAX_BURST,
      name,
      `burst_size must be a whole number, 1 to ${MAX_BURST}`,
    );
    demand(windowMs >= 1000, name, 'window_size must be at least 1s');
    const refillSeconds = burst / rate;
    const wanted = Math.max(windowMs / 1000, refillSeconds, SHORTEST_MEMORY_SECONDS);
    let shift = FINEST_REQUEST_SHIFT;
    while (shift > 0 && rate * wanted * 2 ** shift > MAX_SPAN_TICKS) shift--;
    this.spec = spec;
    this.requestShift = shift;
    this.requestTicks = 2 ** shift;
    this.burstTicks = burst * this.requestTicks;
    this.ticksPerMs = (rate * this.requestTicks) / 1000;
    this.rememberSeconds = Math.ceil(Math.min(wanted, MAX_SPAN_TICKS / (rate * this.requestTicks)));
    this.entrySeconds = this.rememberSeconds + Math.ceil(this.rememberSeconds / 8) + 1;
    this.windowSeconds = Math.ceil(windowMs / 1000);
    this.quota = Math.floor(burst + rate * this.windowSeconds);
    this.identity = `${name}\n${rate}\n${shift}`;
    this.id = createHash('sha256').update(this.identity).digest().readInt32LE();
  }
}

function demand(condition: boolean, name: string, what: string): void {
  if (condition) return;
  throw new MayflyError(`Cannot use this rate limit: ${what}`, {
    where: `rate_limit "${name}"`,
    exitCode: 2,
  });
}
