/** What the gateways said of each Function. Pure: time is an argument, milliseconds. */
import type { DemandReport } from '../../model/demand.ts';

/** Gateways report once a second. One that was not heard for so long may have requests that we do not know of. */
const SILENT_MS = 5000;
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
      const isBusy = open > 0 || before === undefined || answered !== before.answered;
      entries.set(gateway, { open, answered, heardAt: now, busyAt: isBusy ? now : before.busyAt });
      this.#entries.set(name, entries);
    }
    return true;
  }

  /** The Functions that a gateway spoke of. */
  functions(): Iterable<string> {
    return this.#entries.keys();
  }

  of(name: string, now: number): Demand {
    const known = [...(this.#entries.get(name)?.values() ?? [])].filter(
      ({ heardAt }) => now - heardAt < FORGET_MS,
    );
    const heard = known.filter(({ heardAt }) => now - heardAt < SILENT_MS);
    const open = heard.reduce((sum, entry) => sum + entry.open, 0);
    const certain = heard.length > 0 && heard.length === known.length;
    return {
      open,
      quietMs: certain && open === 0 ? now - Math.max(...known.map(({ busyAt }) => busyAt)) : null,
    };
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
