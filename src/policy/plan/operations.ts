import { PolicyEvaluationError } from '../types.ts';
import { toDouble } from './numbers.ts';
import { compare, equal, sorted } from './order.ts';
import { BigDecimal } from './numbers.ts';
import { isObject, isRecord, keysOfObject, lookup, RegoObject, RegoSet, sizeOfObject } from './values.ts';

/** What statements of a plan do, where it takes more than an expression. Generated code calls these by name. */

/** AssignVarOnceStmt: a rule has one value. */
export function assignOnce(previous: unknown, value: unknown): unknown {
  if (previous !== undefined && !equal(previous, value)) {
    throw new PolicyEvaluationError(
      'The policy failed: two rules give different values (var assignment conflict).',
    );
  }
  return value;
}

/** ObjectInsertOnceStmt: a key of a partial object has one value. */
export function insertOnce(object: RegoObject, key: unknown, value: unknown): void {
  const previous = object.get(key);
  if (previous !== undefined && !equal(previous, value)) {
    throw new PolicyEvaluationError(
      'The policy failed: two rules give a key different values (object insert conflict).',
    );
  }
  object.set(key, value);
}

/** ObjectMergeStmt: objects are merged key by key; where one side is none, the first wins. */
export function merge(a: unknown, b: unknown): unknown {
  if (a === undefined) return b;
  if (!isObject(a) || !isObject(b)) return a;
  const merged = new RegoObject();
  for (const key of keysOfObject(b)) merged.set(key, lookup(b, key));
  for (const key of keysOfObject(a)) merged.set(key, merge(lookup(a, key), lookup(b, key)));
  return merged;
}

/** WithStmt with a path: a copy of `document` whose value at `path` is `value`. What is in the way is replaced by objects. */
export function upsert(document: unknown, path: readonly string[], value: unknown): unknown {
  if (path.length === 0) return value;
  const [key, ...rest] = path as [string, ...string[]];
  const replaced = upsert(lookup(document, key), rest, value);
  if (document instanceof RegoObject) {
    const copy = new RegoObject();
    for (const other of document.keys()) copy.set(other, document.get(other));
    copy.set(key, replaced);
    return copy;
  }
  const copy = Object.create(null) as { [key: string]: unknown };
  if (isRecord(document)) Object.assign(copy, document);
  copy[key] = replaced;
  return copy;
}

/** LenStmt. A string's length is that of its UTF-8 bytes. */
export function length(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  if (value instanceof RegoSet) return value.size;
  if (isObject(value)) return sizeOfObject(value);
  return typeof value === 'string' ? Buffer.byteLength(value) : 0;
}

// Comparisons are builtins, but nearly every policy uses them: the common case stays small enough to be inlined.
export function greater(a: unknown, b: unknown): boolean {
  return typeof a === 'number' && typeof b === 'number' ? a > b : compare(a, b) > 0;
}
export function greaterOrEqual(a: unknown, b: unknown): boolean {
  return typeof a === 'number' && typeof b === 'number' ? a >= b : compare(a, b) >= 0;
}
export function less(a: unknown, b: unknown): boolean {
  return typeof a === 'number' && typeof b === 'number' ? a < b : compare(a, b) < 0;
}
export function lessOrEqual(a: unknown, b: unknown): boolean {
  return typeof a === 'number' && typeof b === 'number' ? a <= b : compare(a, b) <= 0;
}

/** A decision as JSON has it, a copy: sets become sorted arrays, keys that are not strings their JSON text. */
export function toJsonValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof BigDecimal) return toDouble(value);
  if (Array.isArray(value)) return value.map(toJsonValue);
  if (value instanceof RegoSet) return sorted(value.elements()).map(toJsonValue);
  const copy = {};
  for (const key of sorted(keysOfObject(value as RegoObject))) {
    const name = typeof key === 'string' ? key : JSON.stringify(toJsonValue(key));
    const member = {
      value: toJsonValue(lookup(value, key)),
      enumerable: true,
      writable: true,
      configurable: true,
    };
    Object.defineProperty(copy, name, member);
  }
  return copy;
}
