import { compare, equal, sorted } from '../order.ts';
import { isObject, keysOfObject, lookup, RegoSet, sizeOfObject } from '../values.ts';
import { integer, product, sum } from './arithmetic.ts';

/** What arrays, sets and objects have in common, and arrays. */
function members(value: unknown): unknown[] | undefined {
  return value instanceof RegoSet ? value.elements() : Array.isArray(value) ? value : undefined;
}

function count(value: unknown): number | undefined {
  if (typeof value === 'string') return codePoints(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof RegoSet) return value.size;
  return isObject(value) ? sizeOfObject(value) : undefined;
}

function codePoints(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i++) {
    const low = (text.charCodeAt(i) & 0xfc00) === 0xdc00;
    if (low && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) count--;
  }
  return count;
}

function extreme(wanted: 1 | -1) {
  return (value: unknown): unknown => {
    const [first, ...rest] = members(value) ?? [];
    return rest.reduce((best, other) => (compare(other, best) * wanted > 0 ? other : best), first);
  };
}

function slice(array: unknown, from: unknown, to: unknown): unknown[] | undefined {
  if (!Array.isArray(array)) return undefined;
  const [start, stop] = [integer(from), integer(to)];
  if (start === undefined || stop === undefined) return undefined;
  return array.slice(Math.max(start, 0), Math.max(stop, 0));
}

/** `x in collection`: an element of an array or a set, a value of an object. */
function isMember(value: unknown, collection: unknown): boolean {
  if (Array.isArray(collection)) {
    for (const element of collection) if (equal(element, value)) return true;
    return false;
  }
  if (collection instanceof RegoSet) return collection.has(value);
  return (
    isObject(collection) && keysOfObject(collection).some((key) => equal(lookup(collection, key), value))
  );
}

/** `k, v in collection`. */
function isMemberWithKey(key: unknown, value: unknown, collection: unknown): boolean {
  const found = lookup(collection, key);
  return found !== undefined && equal(found, value);
}

export const collections = {
  count,
  sum: (value: unknown) => {
    const numbers = members(value);
    return numbers && sum(numbers);
  },
  product: (value: unknown) => {
    const numbers = members(value);
    return numbers && product(numbers);
  },
  max: extreme(1),
  min: extreme(-1),
  sort: (value: unknown) => {
    const elements = members(value);
    return elements && sorted(elements);
  },
  all: (value: unknown) => members(value)?.every((element) => element === true),
  any: (value: unknown) => members(value)?.some((element) => element === true),
  'internal.member_2': isMember,
  'internal.member_3': isMemberWithKey,
  'array.concat': (a: unknown, b: unknown) =>
    Array.isArray(a) && Array.isArray(b) ? [...a, ...b] : undefined,
  'array.flatten': (array: unknown) => (Array.isArray(array) ? array.flat() : undefined),
  'array.reverse': (array: unknown) => (Array.isArray(array) ? array.toReversed() : undefined),
  'array.slice': slice,
};
