import { isObject, isRecord, keysOfObject, lookup, RegoObject, RegoSet } from './values.ts';
import { BigDecimal, compareNumbers } from './numbers.ts';

/** Rego's order of types: null, booleans, numbers, strings, arrays, objects, sets. Undefined comes before them all. */
function rank(value: unknown): number {
  switch (typeof value) {
    case 'undefined':
      return -1;
    case 'boolean':
      return 1;
    case 'number':
      return 2;
    case 'string':
      return 3;
    default:
      if (value === null) return 0;
      if (Array.isArray(value)) return 4;
      if (value instanceof RegoSet) return 6;
      return value instanceof BigDecimal ? 2 : 5;
  }
}

/** The total order of Rego values: negative, 0 or positive. Source: `Compare` of github.com/open-policy-agent/opa/v1/ast. */
export function compare(a: unknown, b: unknown): number {
  if (a === b) return 0;
  const kind = rank(a);
  const difference = kind - rank(b);
  if (difference !== 0) return difference;
  switch (kind) {
    case 1:
      return a === true ? 1 : -1;
    case 2:
      return compareNumbers(a as number | BigDecimal, b as number | BigDecimal);
    case 3:
      return compareStrings(a as string, b as string);
    case 4:
      return compareLists(a as unknown[], b as unknown[]);
    case 5:
      return compareObjects(a as RegoObject, b as RegoObject);
    case 6:
      return compareLists(sorted((a as RegoSet).elements()), sorted((b as RegoSet).elements()));
    default:
      return 0;
  }
}

export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  // Two different scalars are never equal: every number that a double can hold is a double.
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  return compare(a, b) === 0;
}

export function sorted(values: readonly unknown[]): unknown[] {
  return values.toSorted(compare);
}

/** By Unicode code points, which is the order of UTF-8 bytes. UTF-16 units differ from it above U+D7FF only. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y)
      return (x < 0xe000 && x >= 0xd800 ? x + 0x2800 : x) - (y < 0xe000 && y >= 0xd800 ? y + 0x2800 : y);
  }
  return a.length - b.length;
}

function compareLists(a: readonly unknown[], b: readonly unknown[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compare(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareObjects(a: RegoObject, b: RegoObject): number {
  const keysA = sorted(keysOfObject(a));
  const keysB = sorted(keysOfObject(b));
  const length = Math.min(keysA.length, keysB.length);
  for (let i = 0; i < length; i++) {
    const order = compare(keysA[i], keysB[i]) || compare(lookup(a, keysA[i]), lookup(b, keysB[i]));
    if (order !== 0) return order;
  }
  return keysA.length - keysB.length;
}

/** The keys that a scan of `source` visits; null for an array, whose keys are its indices. */
export function scanKeys(source: unknown): unknown[] | null {
  if (Array.isArray(source)) return null;
  if (source instanceof RegoSet) return source.elements();
  return isObject(source) ? keysOfObject(source) : nothing;
}

/** As scanKeys, in Rego's order: for scans whose order can be seen in an array. */
export function sortedScanKeys(source: unknown): unknown[] | null {
  const keys = scanKeys(source);
  return keys === null ? null : sorted(keys);
}

/** The values that belong to scanKeys(source). */
export function scanValues(source: unknown, keys: unknown[] | null): unknown[] {
  if (keys === null) return source as unknown[];
  if (isRecord(source)) return keys.map((key) => source[key as string]);
  return source instanceof RegoObject ? keys.map((key) => source.get(key)) : keys;
}

const nothing: unknown[] = [];
