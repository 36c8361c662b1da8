import { RegoSet } from '../values.ts';

export function difference(a: RegoSet, b: RegoSet): RegoSet {
  return RegoSet.of(a.elements().filter((element) => !b.has(element)));
}

function intersect(a: RegoSet, b: RegoSet): RegoSet {
  return RegoSet.of(a.elements().filter((element) => b.has(element)));
}

function unite(a: RegoSet, b: RegoSet): RegoSet {
  return RegoSet.of([...a.elements(), ...b.elements()]);
}

const isSet = (value: unknown): value is RegoSet => value instanceof RegoSet;

/** The sets in a set; undefined if it is none or holds anything else. */
function setsIn(value: unknown): RegoSet[] | undefined {
  const elements = isSet(value) ? value.elements() : undefined;
  return elements?.every(isSet) === true ? elements : undefined;
}

export const sets = {
  and: (a: unknown, b: unknown) => (isSet(a) && isSet(b) ? intersect(a, b) : undefined),
  or: (a: unknown, b: unknown) => (isSet(a) && isSet(b) ? unite(a, b) : undefined),
  intersection(value: unknown) {
    const all = setsIn(value);
    if (all === undefined || all.length === 0) return all && new RegoSet();
    return all.reduce(intersect);
  },
  union: (value: unknown) => setsIn(value)?.reduce(unite, new RegoSet()),
};
