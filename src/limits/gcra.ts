import { randomFillSync } from 'node:crypto';
import { LimitKey } from './key.ts';
import type { RateLimit } from './limit.ts';
import { monotonicNow } from './monotonic.ts';
import { type Spent, Spending, SPENDING_WORDS_PER_ENTRY } from './spending.ts';

/** Entries that one key can live in: a key is looked for in these and nowhere else. */
const GROUP = 16;
/** Groups kept for keys that found no place among their own (`overflow`). */
const OVERFLOW_GROUPS = 128;
const HEADER_WORDS = 16;
/** An entry is four words side by side, so that counting a request touches one cache line. */
const WORDS_PER_ENTRY = 4;
const KEY_LOW = 0;
const KEY_HIGH = 1;
/** Theoretical arrival time, in ticks of the limit. */
const TIME = 2;
/** Second of the monotonic clock from which on the entry is void. */
const EXPIRY = 3;
/** A group is its lock and its entries. */
const GROUP_WORDS = GROUP * WORDS_PER_ENTRY;
const WORDS_PER_GROUP = 1 + GROUP_WORDS;
/** More, in a table that several processes share. */
const SPENDING_WORDS_PER_GROUP = 1 + GROUP * SPENDING_WORDS_PER_ENTRY;

const SEED_LOW = 0;
const SEED_HIGH = 1;
const LIVE = 2;
const OVERFLOWED = 3;
const SWEEP_CURSOR = 4;
/** Gateways that share the limits; 0: this one is alone and keeps no account of what is used. */
const SHARES = 5;

/** A lock held this long belongs to a thread that died: the section it guards takes well under a microsecond. */
const STALE_LOCK_SECONDS = 2;
/** Tries before a thread sleeps a moment, so that a holder that lost its core can go on. */
const LOCK_SPINS = 200;
const RETRY_WITHOUT_ENTRY_MS = 1000;

/**
 * Memory of a table for about `keys` keys at once, seeded with a secret of this process. Main thread only.
 * `seed`: eight bytes that several processes have in common, so that they can tell each other what their keys used.
 */
export function createRateLimitTable(keys: number, seed?: Uint8Array): SharedArrayBuffer {
  const groups = Math.ceil((keys * 2) / GROUP) + OVERFLOW_GROUPS;
  const words = WORDS_PER_GROUP + (seed === undefined ? 0 : SPENDING_WORDS_PER_GROUP);
  const shared = new SharedArrayBuffer((HEADER_WORDS + groups * words) * 4);
  const own = new Uint8Array(shared, SEED_LOW * 4, 8);
  if (seed === undefined) randomFillSync(own);
  else {
    own.set(seed.subarray(0, 8));
    new Int32Array(shared)[SHARES] = 1;
  }
  return shared;
}

/** What is in the table, for metrics. */
export interface RateLimitTableStats {
  readonly keys: number;
  readonly capacity: number;
  /** Requests that were counted in a shared overflow bucket, or refused for lack of one. */
  readonly overflowed: number;
}

/**
 * GCRA, the generic cell rate algorithm (ITU-T I.371, annex A: "virtual scheduling"), over a table that all threads
 * share. An entry holds the theoretical arrival time (TAT) of its key; a request is in time when
 * TAT − now + 1 request ≤ burst, and moves TAT on by one request with a compare-and-swap. So the limit is exact over all
 * threads: in any time t no more than burst + rate × t requests of a key pass.
 *
 * The table is set-associative: a key's hash names one group of 16 entries. Finding and counting need no lock. Inserting,
 * renewing and forgetting hold the lock of the group, so that no key ever has two entries. Every entry has an expiry; an expired
 * entry is never read, whether the sweeper came by or not, and that is why a 32-bit tick counter cannot be
 * misunderstood after it has wrapped.
 *
 * When a group is full of live keys, new keys of that group share one overflow bucket per limit: they are limited
 * together, more strictly than alone. When there is no room for that either the request is refused. A full table
 * never means "unlimited".
 *
 * Where several gateways share the limits (docs/adr/0009-fleet.md), each has its share of the burst and the whole rate;
 * what the others used is charged afterwards, and what was used here is kept for them (`collect`).
 */
export class RateLimiter {
  /** After a refusal: when the next request can pass. After an acceptance: when one more than `remaining` can. */
  retryAfterMs = 0;
  /** When the bucket will be full again, if nothing else comes. */
  resetMs = 0;
  readonly #header: Int32Array;
  readonly #locks: Int32Array;
  readonly #entries: Int32Array;
  readonly #groups: number;
  readonly #spending: Spending | null;
  readonly #overflowKeys = new WeakMap<RateLimit, LimitKey>();

  constructor(shared: SharedArrayBuffer) {
    const isShared = new Int32Array(shared)[SHARES] > 0;
    const perGroup = WORDS_PER_GROUP + (isShared ? SPENDING_WORDS_PER_GROUP : 0);
    const groups = Math.floor((shared.byteLength / 4 - HEADER_WORDS) / perGroup);
    if (groups <= OVERFLOW_GROUPS) throw new RangeError('The rate-limit table is too small');
    this.#header = new Int32Array(shared, 0, HEADER_WORDS);
    this.#locks = new Int32Array(shared, HEADER_WORDS * 4, groups);
    const words = groups * GROUP * WORDS_PER_ENTRY;
    this.#entries = new Int32Array(shared, (HEADER_WORDS + groups) * 4, words);
    this.#groups = groups - OVERFLOW_GROUPS;
    const spendingFrom = (HEADER_WORDS + groups * WORDS_PER_GROUP) * 4;
    this.#spending = isShared ? new Spending(shared, spendingFrom, groups, GROUP) : null;
  }

  /** The secret that key hashes start from: the same on every thread, another one in every process. */
  get seedLow(): number {
    return this.#header[SEED_LOW];
  }

  get seedHigh(): number {
    return this.#header[SEED_HIGH];
  }

  /**
   * Counts one request of `key` against `limit`.
   * @param nowMs of `monotonicNow()`
   * @returns how many more would pass right now, or −1: refused
   */
  take(key: LimitKey, limit: RateLimit, nowMs: number): number {
    const second = Math.floor(nowMs / 1000);
    let entry = key.entry;
    if (entry < 0 || !this.#holds(entry, key.low, key.high) || this.#isEnding(entry, limit, second)) {
      entry = this.#settle(key, limit, nowMs, second);
      if (entry < 0) return this.#refuse(RETRY_WITHOUT_ENTRY_MS, RETRY_WITHOUT_ENTRY_MS);
    }
    const exact = nowMs * limit.ticksPerMs;
    const whole = Math.floor(exact);
    // Rounded against the client both ways, so that rounding never admits more than the limit.
    const now = whole | 0;
    const start = exact === whole ? now : (now + 1) | 0;
    const entries = this.#entries;
    const time = entry + TIME;
    const one = limit.requestTicks;
    const spending = this.#spending;
    const burst = spending === null ? limit.burstTicks : this.#shareOf(limit);
    for (;;) {
      const arrival = Atomics.load(entries, time);
      const ahead = (arrival - now) | 0;
      // More than a full burst ahead: left by a larger burst of an earlier configuration.
      const used = ahead > burst ? burst : ahead > 0 ? ahead : 0;
      if (used + one > burst) {
        return this.#refuse((used + one - burst) / limit.ticksPerMs, used / limit.ticksPerMs);
      }
      const next = used > 0 ? (now + used + one) | 0 : (start + one) | 0;
      if (Atomics.compareExchange(entries, time, arrival, next) !== arrival) continue;
      if (spending !== null) spending.add(entry / WORDS_PER_ENTRY, one);
      const left = burst - used - one;
      const remaining = left >> limit.requestShift;
      this.retryAfterMs = (one - (left - remaining * one)) / limit.ticksPerMs;
      this.resetMs = (used + one) / limit.ticksPerMs;
      return remaining;
    }
  }

  /** How many gateways share the limits, this one among them. Main thread only. */
  share(gateways: number): void {
    if (this.#spending !== null) Atomics.store(this.#header, SHARES, Math.max(1, gateways));
  }

  /** Takes what keys used since the last call. Main thread only. */
  collect(visit: (spent: Spent) => void): void {
    this.#spending?.collect((index, limit, ticks) => {
      const entry = index * WORDS_PER_ENTRY;
      const high = this.#entries[entry + KEY_HIGH];
      if (high !== 0) visit({ limit, low: this.#entries[entry + KEY_LOW], high, ticks });
    });
  }

  /** Counts what a key used at another gateway: it was accepted there, so it may be more than there is left. */
  charge(key: LimitKey, limit: RateLimit, ticks: number, nowMs: number): void {
    const entry = this.#settle(key, limit, nowMs, Math.floor(nowMs / 1000));
    if (entry < 0) return;
    const now = Math.floor(nowMs * limit.ticksPerMs) | 0;
    // Never more than the entry is remembered for.
    const most = Math.floor(limit.rememberSeconds * 1000 * limit.ticksPerMs);
    for (;;) {
      const arrival = Atomics.load(this.#entries, entry + TIME);
      const ahead = Math.max(0, (arrival - now) | 0);
      const next = (now + Math.max(ahead, Math.min(ahead + ticks, most))) | 0;
      if (Atomics.compareExchange(this.#entries, entry + TIME, arrival, next) === arrival) return;
    }
  }

  /**
   * Forgets expired keys in the next `groups` groups (one thread calls this, again and again; safe beside everything else).
   * @returns how many keys were forgotten
   */
  sweep(nowMs: number, groups: number): number {
    const second = Math.floor(nowMs / 1000);
    const total = this.#groups + OVERFLOW_GROUPS;
    let forgotten = 0;
    for (let step = Math.min(groups, total); step > 0; step--) {
      const group = this.#header[SWEEP_CURSOR] % total;
      this.#header[SWEEP_CURSOR] = group + 1;
      if (!this.#hasExpired(group, second)) continue;
      const stamp = this.#lock(group);
      forgotten += this.#forgetExpired(group, second);
      this.#unlock(group, stamp);
    }
    return forgotten;
  }

  /** Groups of the whole table: what `sweep` has to get through in one round. */
  get groups(): number {
    return this.#groups + OVERFLOW_GROUPS;
  }

  stats(): RateLimitTableStats {
    return {
      keys: Atomics.load(this.#header, LIVE),
      capacity: this.groups * GROUP,
      overflowed: Atomics.load(this.#header, OVERFLOWED),
    };
  }

  /** This gateway's part of the burst, in whole requests, and at least one. */
  #shareOf({ burstTicks, requestTicks, requestShift }: RateLimit): number {
    const shares = this.#header[SHARES];
    if (shares === 1) return burstTicks;
    return Math.max(requestTicks, Math.ceil((burstTicks >> requestShift) / shares) << requestShift);
  }

  #refuse(retryAfterMs: number, resetMs: number): -1 {
    this.retryAfterMs = retryAfterMs;
    this.resetMs = resetMs;
    return -1;
  }

  /**
   * The key's entry, found, made or renewed; the overflow entry of its limit when its group is full; −1 when that is too.
   */
  #settle(key: LimitKey, limit: RateLimit, nowMs: number, second: number): number {
    const group = this.#groupOf(key.low);
    let own = this.#find(group, key);
    if (own < 0 || this.#isEnding(own, limit, second)) own = this.#claim(group, key, limit, nowMs, second);
    key.entry = own;
    if (own >= 0) return own;
    Atomics.add(this.#header, OVERFLOWED, 1);
    const shared = this.#overflowKey(limit);
    return this.#claim(this.#groups + ((shared.low >>> 0) % OVERFLOW_GROUPS), shared, limit, nowMs, second);
  }

  #find(group: number, key: LimitKey): number {
    const from = group * GROUP_WORDS;
    for (let entry = from; entry < from + GROUP_WORDS; entry += WORDS_PER_ENTRY) {
      if (this.#holds(entry, key.low, key.high)) return entry;
    }
    return -1;
  }

  /** Finds or makes the entry of a key in its group, under the group's lock, and moves its expiry on. */
  #claim(group: number, key: LimitKey, limit: RateLimit, nowMs: number, second: number): number {
    const stamp = this.#lock(group);
    const entries = this.#entries;
    const from = group * GROUP_WORDS;
    let free = -1;
    let found = -1;
    for (let entry = from; entry < from + GROUP_WORDS && found < 0; entry += WORDS_PER_ENTRY) {
      if (this.#isFree(entry)) free = free < 0 ? entry : free;
      else if (entries[entry + EXPIRY] < second) {
        this.#free(entry);
        free = free < 0 ? entry : free;
      } else if (this.#holds(entry, key.low, key.high)) found = entry;
    }
    if (found < 0 && free >= 0) {
      found = free;
      Atomics.store(entries, found + TIME, Math.floor(nowMs * limit.ticksPerMs) | 0);
      Atomics.add(this.#header, LIVE, 1);
    }
    if (found >= 0) {
      this.#spending?.begin(found / WORDS_PER_ENTRY, limit.id);
      Atomics.store(entries, found + EXPIRY, second + limit.entrySeconds);
      // The high word last: it is what readers look at first.
      Atomics.store(entries, found + KEY_LOW, key.low);
      Atomics.store(entries, found + KEY_HIGH, key.high);
    }
    this.#unlock(group, stamp);
    return found;
  }

  #overflowKey(limit: RateLimit): LimitKey {
    let key = this.#overflowKeys.get(limit);
    if (key === undefined) {
      key = LimitKey.of(this.seedLow, this.seedHigh, `overflow\n${limit.identity}`);
      this.#overflowKeys.set(limit, key);
    }
    return key;
  }

  #groupOf(low: number): number {
    return Math.floor(((low >>> 0) / 2 ** 32) * this.#groups);
  }

  #holds(entry: number, low: number, high: number): boolean {
    return this.#entries[entry + KEY_HIGH] === high && this.#entries[entry + KEY_LOW] === low;
  }

  /** Not sure to be kept for as long as the limit promises after this request: it must be renewed first. */
  #isEnding(entry: number, limit: RateLimit, second: number): boolean {
    return this.#entries[entry + EXPIRY] - second <= limit.rememberSeconds;
  }

  #isFree(entry: number): boolean {
    return this.#entries[entry + KEY_HIGH] === 0;
  }

  #free(entry: number): void {
    Atomics.store(this.#entries, entry + KEY_HIGH, 0);
    Atomics.sub(this.#header, LIVE, 1);
  }

  #hasExpired(group: number, second: number): boolean {
    const from = group * GROUP_WORDS;
    for (let entry = from; entry < from + GROUP_WORDS; entry += WORDS_PER_ENTRY) {
      if (!this.#isFree(entry) && this.#entries[entry + EXPIRY] < second) return true;
    }
    return false;
  }

  #forgetExpired(group: number, second: number): number {
    let forgotten = 0;
    const from = group * GROUP_WORDS;
    for (let entry = from; entry < from + GROUP_WORDS; entry += WORDS_PER_ENTRY) {
      if (this.#isFree(entry) || this.#entries[entry + EXPIRY] >= second) continue;
      this.#free(entry);
      forgotten++;
    }
    return forgotten;
  }

  /** The lock word is the second it was taken, so that the lock of a dead thread can be told and broken. */
  #lock(group: number): number {
    for (let attempt = 1; ; attempt++) {
      const stamp = lockStamp();
      const holder = Atomics.compareExchange(this.#locks, group, 0, stamp);
      if (holder === 0) return stamp;
      if (stamp - holder > STALE_LOCK_SECONDS) Atomics.compareExchange(this.#locks, group, holder, 0);
      else if (attempt % LOCK_SPINS === 0) Atomics.wait(this.#locks, group, holder, 1);
    }
  }

  #unlock(group: number, stamp: number): void {
    Atomics.compareExchange(this.#locks, group, stamp, 0);
  }
}

function lockStamp(): number {
  return Math.floor(monotonicNow() / 1000) + 1;
}
