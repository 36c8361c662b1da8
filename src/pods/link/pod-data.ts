import { MayflyError } from '../../model/errors.ts';
import type { ModuleParts } from '../../runtime/module/module-parts.ts';
import { PAGE_BYTES } from '../../runtime/prepare/host.ts';
import { DIRTY_PAGE_BITS } from '../../runtime/prepare/layout.ts';
import { type Constant, unsigned } from './constant.ts';
import type { PodInput } from './pod-writer.ts';
import type { ElementSegment, Segments } from './segments.ts';

/** A data segment of the pod; without an address it is passive. */
export interface PodData {
  readonly at: number | null;
  readonly bytes: Uint8Array;
}

/** All data of the pod: the adapter's, the guest's at its new place, and what we add. */
export function podData(input: PodInput, adapter: Segments): PodData[] {
  const { segments, guest, context, options } = input;
  const { base, settingsAt, tables, elements } = context.layout;
  checkPlaces(segments, guest);
  const own = adapter.data.map(({ at, bytes }) => ({ at: at === null ? null : unsigned(at), bytes }));
  const moved = segments.data.map(({ at, bytes }) => ({
    at: at === null ? null : base + unsigned(at),
    bytes,
  }));
  const types = (constants: readonly Constant[]) => elementTypes(input, constants);
  const ofTables = segments.elements.flatMap(({ mode, table, at, elements: constants }) => {
    const { typesAt } = tables[table] ?? { typesAt: 0 };
    return mode === 'active' ? [{ at: typesAt + 2 * unsigned(at as Constant), bytes: types(constants) }] : [];
  });
  const ofSegments = segments.elements.flatMap(({ mode, elements: constants }, index) =>
    mode === 'passive'
      ? [{ at: (elements[index] as { typesAt: number }).typesAt, bytes: types(constants) }]
      : [],
  );
  const ours = [{ at: settingsAt, bytes: options.settings }, ...ofTables, ...ofSegments, ...marks(input)];
  return [...own, ...moved, ...ours.filter(({ bytes }) => bytes.length > 0)];
}

/** The number of the type of each element, 16 bits each; 0 for null. */
function elementTypes({ guest, context }: PodInput, constants: readonly Constant[]): Uint8Array {
  const ids = constants.map((constant) =>
    constant.kind === 'function' ? context.facts.typeIds[guest.functions[constant.index] as number] : 0,
  );
  return new Uint8Array(Uint16Array.from(ids as number[]).buffer);
}

/** Pages with data are marked from the beginning: so they are in the snapshot. */
function marks({ segments, context }: PodInput): PodData[] {
  const pages = new Set<number>();
  for (const { at, bytes } of segments.data) {
    if (at === null || bytes.length === 0) continue;
    const start = unsigned(at);
    const last = (start + bytes.length - 1) >>> DIRTY_PAGE_BITS;
    for (let page = start >>> DIRTY_PAGE_BITS; page <= last; page++) pages.add(page);
  }
  const runs: { first: number; count: number }[] = [];
  for (const page of [...pages].toSorted((left, right) => left - right)) {
    const run = runs.at(-1);
    if (run !== undefined && run.first + run.count === page) run.count++;
    else runs.push({ first: page, count: 1 });
  }
  return runs.map(({ first, count }) => ({
    at: context.layout.mapAt + first,
    bytes: new Uint8Array(count).fill(1),
  }));
}

/** A module whose segments lie outside would end at instantiation; a pod would write into what is not the guest's. */
function checkPlaces({ data, elements }: Segments, guest: ModuleParts): void {
  const bytes = (guest.memories[0]?.minimum ?? 0) * PAGE_BYTES;
  for (const { at, bytes: content } of data) {
    if (at !== null && unsigned(at) + content.length > bytes) throw outside('memory');
  }
  for (const { at, table, elements: list } of elements as readonly ElementSegment[]) {
    if (at === null) continue;
    if (unsigned(at) + list.length > (guest.tables[table]?.limits.minimum ?? 0)) throw outside('table');
  }
}

function outside(what: string): MayflyError {
  return new MayflyError(`The function cannot become a pod: it puts data outside of its ${what}`, {
    fix: 'It could not even be instantiated; build it again.',
    code: 'invalid-module',
    exitCode: 2,
  });
}
