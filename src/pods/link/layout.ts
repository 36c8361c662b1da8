import { MayflyError } from '../../model/errors.ts';
import type { GlobalType, ModuleParts } from '../../runtime/module/module-parts.ts';
import { FUNCREF, I32, I64, type ValueType } from '../../runtime/module/value-types.ts';
import { MAX_PAGES, PAGE_BYTES } from '../../runtime/prepare/host.ts';
import { DIRTY_PAGE_BYTES, MAP_BITS } from '../../runtime/prepare/layout.ts';
import { capMemories, capTables } from '../../runtime/prepare/module-limits.ts';
import type { GuestFacts } from './facts.ts';
import type { Mode, Segments } from './segments.ts';

/** What the linker must know beside the two modules. */
export interface PodOptions {
  /** Ceiling of the guest's memory, in bytes. */
  readonly memoryBytes: number;
  /** The end of the adapter's part of the memory, a multiple of 64 KiB. */
  readonly arenaBytes: number;
  /** What `settings()` points to. */
  readonly settings: Uint8Array;
}

/**
 * A store marks the page of its address as long as it ends within this many bytes from there; restore puts that much of
 * the next page back as well. So one mark is enough for a record, or for the frame of a function on a stack in memory.
 */
export const REACH_BYTES = 256;

/**
 * Behind the guest's memory lie unused bytes, so that `address < size` is check enough for an access with an offset up
 * to this: it may reach behind the end, but never beyond what is there, is marked and put back.
 */
export const SLACK_BYTES = PAGE_BYTES - DIRTY_PAGE_BYTES - REACH_BYTES;
const SLACK_PAGES = 1;
const TYPE_ID_BYTES = 2;

/** A table of the guest, its place among all tables, and what is needed to check and to restore it. */
export interface TableLayout {
  readonly index: number;
  readonly element: ValueType;
  readonly minimum: number;
  readonly maximum: number;
  /** A table like it that keeps its elements as they were initialised; null when no instruction changes it. */
  readonly shadow: number | null;
  /** Global: its size as the guest sees it; null when it cannot grow. */
  readonly size: number | null;
  /** Global: 1 once it was changed since the snapshot; null when no instruction changes it. */
  readonly changed: number | null;
  /** Addresses: for each element the number of its type, and the same as they were initialised. */
  readonly typesAt: number;
  readonly savedTypesAt: number;
}

/** A segment as instructions see it; data and elements alike. */
export interface SegmentLayout {
  /** Zero for active and declared ones: they are dropped at instantiation. */
  readonly length: number;
  /** Global: 1 once it was dropped; null when no instruction drops it. */
  readonly dropped: number | null;
  /** Address: for an element segment, the number of the type of each element. */
  readonly typesAt: number;
}

export interface Shadow {
  readonly global: number;
  readonly shadow: number;
}

/**
 * The memory and the globals of a pod. The memory, from its beginning:
 * adapter · settings · types of table elements · dirty map · snapshot · guest (at `base`, it grows at the end).
 */
export class PodLayout {
  readonly settingsAt: number;
  readonly mapAt: number;
  readonly snapshotAt: number;
  readonly base: number;
  readonly minimumPages: number;
  readonly maximumPages: number;
  readonly tables: readonly TableLayout[];
  readonly addedTables: TableLayout[] = [];
  readonly data: readonly SegmentLayout[];
  readonly elements: readonly SegmentLayout[];
  /** Globals; all i32 but the deadline. */
  readonly status: number;
  readonly fuel: number;
  readonly stack: number;
  readonly deadline: number;
  readonly pages: number;
  readonly bytes: number;
  /** Types of the globals we add, in order. */
  readonly addedGlobals: ValueType[] = [];
  /** Every global that a request may change, and where the snapshot saves it. */
  readonly shadows: Shadow[] = [];
  readonly #firstGlobal: number;
  #end: number;

  constructor(
    adapter: ModuleParts,
    guest: ModuleParts,
    facts: GuestFacts,
    segments: Segments,
    options: PodOptions,
  ) {
    this.#firstGlobal = adapter.globals.length + guest.globals.length;
    this.#end = options.arenaBytes;
    this.settingsAt = this.#reserve(options.settings.length);
    this.status = this.#addGlobal(I32);
    this.fuel = this.#addGlobal(I32);
    this.stack = this.#addGlobal(I32);
    this.deadline = this.#addGlobal(I64);
    this.pages = this.#addSaved(I32);
    this.bytes = this.#addSaved(I32);
    for (const index of facts.changed.globals) {
      this.#save(adapter.globals.length + index, (guest.globals[index] as GlobalType).type);
    }
    this.tables = this.#placeTables(adapter, guest, facts);
    this.data = segments.data.map(({ mode, bytes }, index) =>
      this.#placeSegment(mode, bytes.length, 0, facts.changed.data.has(index)),
    );
    this.elements = segments.elements.map(({ mode, elements }, index) =>
      this.#placeSegment(mode, elements.length, TYPE_ID_BYTES, facts.changed.elements.has(index)),
    );
    this.minimumPages = guest.memories[0]?.minimum ?? 0;
    this.maximumPages = capMemories(guest.memories, options.memoryBytes)[0] ?? 0;
    this.mapAt = this.#reserve((this.maximumPages + SLACK_PAGES) << MAP_BITS, 64);
    this.snapshotAt = this.#reserve((this.maximumPages + SLACK_PAGES) * PAGE_BYTES, DIRTY_PAGE_BYTES);
    this.base = Math.ceil(this.#end / PAGE_BYTES) * PAGE_BYTES;
    refuseBeyondAddresses(this.base / PAGE_BYTES + this.maximumPages + SLACK_PAGES);
  }

  /** Pages of the memory when the pod starts. */
  get initialPages(): number {
    return this.base / PAGE_BYTES + this.minimumPages + SLACK_PAGES;
  }

  get slackPages(): number {
    return SLACK_PAGES;
  }

  #placeTables(adapter: ModuleParts, guest: ModuleParts, facts: GuestFacts): TableLayout[] {
    const maxima = capTables(guest);
    const firstShadow = adapter.tables.length + guest.tables.length;
    return guest.tables.map(({ element, limits: { minimum } }, number) => {
      const isChanged = facts.changed.tables.has(number);
      const grows = facts.changed.grownTables.has(number);
      const maximum = grows ? (maxima[number] as number) : minimum;
      const typeBytes = element === FUNCREF ? maximum * TYPE_ID_BYTES : 0;
      const table: TableLayout = {
        index: adapter.tables.length + number,
        element,
        minimum,
        maximum,
        shadow: isChanged ? firstShadow + this.addedTables.length : null,
        size: grows ? this.#addSaved(I32) : null,
        changed: isChanged ? this.#addSaved(I32) : null,
        typesAt: this.#reserve(typeBytes),
        savedTypesAt: this.#reserve(isChanged ? typeBytes : 0),
      };
      if (isChanged) this.addedTables.push(table);
      return table;
    });
  }

  #placeSegment(mode: Mode, length: number, typeBytes: number, isDropped: boolean): SegmentLayout {
    if (mode !== 'passive') return { length: 0, dropped: null, typesAt: 0 };
    const dropped = isDropped ? this.#addSaved(I32) : null;
    return { length, dropped, typesAt: this.#reserve(length * typeBytes) };
  }

  #reserve(bytes: number, alignment = 4): number {
    const at = Math.ceil(this.#end / alignment) * alignment;
    this.#end = at + bytes;
    return at;
  }

  #addSaved(type: ValueType): number {
    const global = this.#addGlobal(type);
    this.#save(global, type);
    return global;
  }

  #save(global: number, type: ValueType): void {
    this.shadows.push({ global, shadow: this.#addGlobal(type) });
  }

  #addGlobal(type: ValueType): number {
    return this.#firstGlobal + this.addedGlobals.push(type) - 1;
  }
}

function refuseBeyondAddresses(pages: number): void {
  if (pages <= MAX_PAGES) return;
  throw new MayflyError(
    'The function cannot become a pod: its memory limit is too large for 32-bit addresses',
    {
      fix: 'Set memory_limit to 1900MiB or less: a pod keeps two copies of it.',
      code: 'pod-too-large',
      exitCode: 2,
    },
  );
}
