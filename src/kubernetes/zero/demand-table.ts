/** What the gateways said of each Function. Pure: time is an argument, milliseconds. */
import type { DemandReport } from '../../model/demand.ts';

/** Gateways report once a second. One that was not heard for so long may have requests that we do not know of. */
const SILENT_MS = 5000;
/** A Function is called active so long after its last request, or when a gateway fell silent that had some a moment before. */
const ACTIVE_MS = 2000;
const ACTIVE_BEFORE_SILENCE_MS = 60_000;
/** Time constant of the average: what came in seconds counts, a moment's peak does not. */
const AVERAGE_MS = 5000;
/** One that was not heard for so long is gone. */
const FORGET_MS = 5 * 60_000;
/** More than any fleet has; who sends more is no gateway of ours. */
const MOST_ENTRIES = 10_000;

interface Entry {
  readonly open: number;
  readonly answered: number;
  readonly heardAt: number;
  /** When it last had a request, or was first heard. */
  readonly busyAt: number;
  /** When it last had a request; null: it had none since it is heard. */
  readonly requestAt: number | null;
  /** Exponential moving average of `open`. */
  readonly average: number;
}

export interface Demand {
  /** Requests that gateways have now. */
  readonly open: number;
  /** For how long no gateway has had one; null: nobody can tell. */
  readonly quietMs: number | null;
}

export class DemandTable {
  /** Function → gateway → what it said. */
  readonly #entries = new Map<string, Map<string, Entry>>();
  #size = 0;

  /** False: there is no room for it. */
  take({ gateway, functions }: DemandReport, now: number): boolean {
    for (const { function: name, open, answered } of functions) {
      const entries = this.#entries.get(name) ?? new Map<string, Entry>();
      const before = entries.get(gateway);
      if (before === undefined && this.#size >= MOST_ENTRIES) this.#forget(now);
      if (before === undefined && this.#size >= MOST_ENTRIES) return false;
      if (before === undefined) this.#size++;
      entries.set(gateway, entryAfter(before, { open, answered }, now));
      this.#entries.set(name, entries);
    }
    return true;
  }

  /** The Functions that a gateway spoke of. */
  functions(): Iterable<string> {
    return this.#entries.keys();
  }

  of(name: string, now: number): Demand {
    const known = this.#known(name, now);
    const heard = known.filter((entry) => isHeard(entry, now));
    const open = heard.reduce((sum, entry) => sum + entry.open, 0);
    const certain = heard.length > 0 && heard.length === known.length;
    return {
      open,
      quietMs: certain && open === 0 ? now - Math.max(...known.map(({ busyAt }) => busyAt)) : null,
    };
  }

  /** Whether there was a request a moment ago, or may have been: then there should be a pod. */
  isActive(name: string, now: number): boolean {
    return this.#known(name, now).some((entry) => {
      const { open, requestAt, heardAt } = entry;
      if (requestAt === null) return false;
      if (isHeard(entry, now)) return open > 0 || now - requestAt < ACTIVE_MS;
      return heardAt - requestAt < ACTIVE_BEFORE_SILENCE_MS;
    });
  }

  /** Requests that gateways have, for who has to say how many pods carry them: the larger of now and of the last seconds' average. */
  load(name: string, now: number): number {
    return this.#known(name, now)
      .filter((entry) => isHeard(entry, now))
      .reduce((sum, { open, average }) => sum + Math.max(open, average), 0);
  }

  #known(name: string, now: number): Entry[] {
    const entries = [...(this.#entries.get(name)?.values() ?? [])];
    return entries.filter(({ heardAt }) => now - heardAt < FORGET_MS);
  }

  #forget(now: number): void {
    for (const [name, entries] of this.#entries) {
      for (const [gateway, { heardAt }] of entries) {
        if (now - heardAt >= FORGET_MS && entries.delete(gateway)) this.#size--;
      }
      if (entries.size === 0) this.#entries.delete(name);
    }
  }
}

function isHeard({ heardAt }: Entry, now: number): boolean {
  return now - heardAt < SILENT_MS;
}

function entryAfter(
  before: Entry | undefined,
  { open, answered }: Pick<Entry, 'open' | 'answered'>,
  now: number,
): Entry {
  if (before === undefined) {
    const requestAt = open > 0 ? now : null;
    return { open, answered, heardAt: now, busyAt: now, requestAt, average: open };
  }
  const hadRequest = open > 0 || answered !== before.answered;
  const past = Math.exp((before.heardAt - now) / AVERAGE_MS);
  return {
    open,
    answered,
    heardAt: now,
    busyAt: hadRequest ? now : before.busyAt,
    requestAt: hadRequest ? now : before.requestAt,
    average: open + (before.average - open) * past,
  };
}
