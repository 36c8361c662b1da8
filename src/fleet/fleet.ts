/**
 * Several gateways that share their rate limits. Each decides alone, in its own table; every `intervalMs` it tells the
 * others what its keys used, and charges what they tell to its own table (docs/adr/0009-fleet.md). Nothing on the way of a
 * request waits for this.
 */
import { randomBytes } from 'node:crypto';
import type { RateLimiter } from '../limits/gcra.ts';
import { LimitKey } from '../limits/key.ts';
import type { RateLimit } from '../limits/limit.ts';
import { monotonicNow } from '../limits/monotonic.ts';
import type { Spent } from '../limits/spending.ts';
import { Link, type LinkTarget } from './link.ts';
import { Members } from './members.ts';
import { ID_BYTES, packMessage, unpackMessage } from './message.ts';

export interface FleetOptions {
  readonly target: LinkTarget;
  /** Gateways that have it in common share their limits. */
  readonly name: string;
  readonly intervalMs: number;
  readonly limiter: RateLimiter;
  /** The limit of an id that is in force here; undefined: none. */
  readonly limitOf: (id: number) => RateLimit | undefined;
  readonly onUp: (others: number) => void;
  readonly onDown: (why: string) => void;
}

export interface FleetStats {
  readonly connected: boolean;
  /** Gateways that share the limits, this one among them. */
  readonly members: number;
  readonly sent: number;
  readonly received: number;
  /** Messages of others that never came. */
  readonly lost: number;
  /** Longest time between two messages of this gateway in the last minute or so, in milliseconds. */
  readonly slowestMs: number;
}

/** A gateway that said nothing for so many intervals, and not less than this long, has gone. */
const SILENT_INTERVALS = 10;
const SILENT_MS = 2000;
/** Its own messages come back at once while the store works. */
const DEAF_INTERVALS = 3;
const DEAF_MS = 500;
const SLOWEST_ROUNDS = 256;

export class Fleet implements Disposable {
  readonly #options: FleetOptions;
  readonly #id = randomBytes(ID_BYTES);
  readonly #own = this.#id.toString('hex');
  readonly #members: Members;
  readonly #link: Link;
  readonly #timer: NodeJS.Timeout;
  readonly #joined = Promise.withResolvers<void>();
  #number = 0;
  #received = 0;
  #lost = 0;
  #lastSent = monotonicNow();
  /** When a message of its own came back. */
  #lastEcho = -Infinity;
  readonly #gaps: number[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
    const silenceMs = Math.max(SILENT_MS, options.intervalMs * SILENT_INTERVALS);
    this.#members = new Members(silenceMs);
    this.#link = new Link({
      target: options.target,
      channel: `mayfly:${options.name}:rate-limits`,
      onMessage: (bytes) => this.#hear(bytes),
      onUp: () => {
        // Whoever was there before is heard within an interval.
        setTimeout(() => {
          const others = this.#share();
          this.#joined.resolve();
          options.onUp(others);
        }, options.intervalMs * 2);
      },
      onDown: options.onDown,
    });
    this.#timer = setInterval(() => this.#round(), options.intervalMs);
  }

  /** Resolves when the others are known, or after `patienceMs` without them. */
  async joined(patienceMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, patienceMs);
    await Promise.race([this.#joined.promise, promise]);
    clearTimeout(timer);
  }

  stats(): FleetStats {
    return {
      connected: !this.#isDeaf(monotonicNow()),
      members: 1 + this.#members.others(monotonicNow(), this.#isDeaf(monotonicNow())),
      sent: this.#number,
      received: this.#received,
      lost: this.#lost,
      slowestMs: Math.max(0, ...this.#gaps),
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#link[Symbol.dispose]();
  }

  #round(): void {
    this.#link.check();
    const others = this.#share();
    const spent: Spent[] = [];
    this.#options.limiter.collect((used) => spent.push(used));
    const now = monotonicNow();
    // The others cannot be heard: they are taken to use what this one uses, so each lets its part of the rate pass.
    if (this.#isDeaf(now)) for (const used of spent) this.#charge(used, used.ticks * others);
    if (this.#link.publish(packMessage(this.#id, this.#number + 1, spent))) this.#number++;
    this.#gaps.push(now - this.#lastSent);
    if (this.#gaps.length > SLOWEST_ROUNDS) this.#gaps.shift();
    this.#lastSent = now;
  }

  #share(): number {
    const now = monotonicNow();
    const others = this.#members.others(now, this.#isDeaf(now));
    this.#options.limiter.share(1 + others);
    return others;
  }

  /** A connection that stands is not enough: the store may have stopped to pass on. */
  #isDeaf(now: number): boolean {
    const patienceMs = Math.max(DEAF_MS, this.#options.intervalMs * DEAF_INTERVALS);
    return !this.#link.up || now - this.#lastEcho > patienceMs;
  }

  #hear(bytes: Buffer): void {
    const message = unpackMessage(bytes);
    if (message === null) return;
    if (message.from === this.#own) {
      this.#lastEcho = monotonicNow();
      return;
    }
    this.#lost += this.#members.heard(message.from, message.number, monotonicNow());
    this.#received++;
    for (const used of message.spent) this.#charge(used, used.ticks);
  }

  #charge({ limit: id, low, high }: Spent, ticks: number): void {
    const limit = this.#options.limitOf(id);
    if (limit !== undefined)
      this.#options.limiter.charge(LimitKey.from(low, high), limit, ticks, monotonicNow());
  }
}
