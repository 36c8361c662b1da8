/** What a gateway has of rate limits, as a process of its own that asks for its keys without pause. */
import { Fleet } from '../../../src/fleet/fleet.ts';
import { createRateLimitTable, RateLimiter } from '../../../src/limits/gcra.ts';
import { LimitKey } from '../../../src/limits/key.ts';
import { RateLimit } from '../../../src/limits/limit.ts';
import { monotonicNow } from '../../../src/limits/monotonic.ts';
import type { FromLimiter, LimiterOrder, ToLimiter } from './limiting.ts';

const { port, rate, burst, keys, intervalMs, members } = JSON.parse(
  process.argv[2] as string,
) as LimiterOrder;
const limiter = new RateLimiter(createRateLimitTable(1 << 15, Buffer.from('8 bytes!')));
const limit = new RateLimit({
  name: 'default',
  requestsPerSecond: rate,
  burst,
  windowMs: 60_000,
  key: [{ by: 'user' }],
});
const own = Array.from({ length: keys }, (_, index) =>
  LimitKey.of(limiter.seedLow, limiter.seedHigh, `${limit.identity}\nuser ${index}`),
);
const say = (message: FromLimiter): void => void process.send?.(message);
const fleet = new Fleet({
  target: { host: '127.0.0.1', port, tls: null, user: 'default', password: null },
  name: 'test',
  intervalMs,
  limiter,
  limitOf: (id) => (id === limit.id ? limit : undefined),
  onUp: () => {},
  onDown: () => say({ type: 'down' }),
});
const waiting = setInterval(() => {
  if (fleet.stats().members < members) return;
  clearInterval(waiting);
  say({ type: 'ready' });
}, 20);

/** Keys asked in one go; then others have their turn. */
const ASKED_PER_TURN = 500;

function load(startAt: number, durationMs: number): void {
  const accepted = new Uint32Array(keys);
  let next = 0;
  let slowestMs = 0;
  let asked = 0;
  const turn = (): void => {
    for (let count = 0; count < ASKED_PER_TURN; count++) {
      const now = monotonicNow();
      if (now >= startAt + durationMs) {
        return say({ type: 'done', accepted: [...accepted], asked, slowestMs, lost: fleet.stats().lost });
      }
      asked++;
      if (limiter.take(own[next] as LimitKey, limit, now) >= 0) accepted[next]++;
      next = (next + 1) % keys;
    }
    slowestMs = Math.max(slowestMs, fleet.stats().slowestMs);
    setTimeout(turn, 1);
  };
  setTimeout(turn, Math.max(0, startAt - monotonicNow()));
}

process.on('message', (message: ToLimiter) => {
  if (message.type === 'load') load(message.startAt, message.durationMs);
});
process.on('disconnect', () => process.exit(0));
