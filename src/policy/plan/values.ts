/**
 * Rego values in JavaScript. JSON documents (input and data) stay what they are: null, booleans, numbers, strings,
 * arrays and plain objects ("records", read only through own keys). `undefined` is Rego's undefined. What JSON lacks,
 * and whatever a policy builds itself, is a RegoValue: objects with any keys, sets, numbers that no double holds.
 */
// oxlint-disable-next-line typescript/no-extraneous-class -- it is there to be asked for by instanceof
export abstract class RegoValue {}

type Scalar = null | boolean | number | string;
type Record = { readonly [key: string]: unknown };

/** An object that a policy built. Keys are compared as Rego compares them: `{[1]: "a"}[[1]]` is "a". */
export class RegoObject extends RegoValue {
  readonly #scalars = new Map<Scalar, unknown>();
  #composites: Map<string, { key: unknown; value: unknown }> | null = null;

  get size(): number {
    return this.#scalars.size + (this.#composites?.size ?? 0);
  }

  get(key: unknown): unknown {
    if (isScalar(key)) return this.#scalars.get(key);
    return this.#composites?.get(canonicalText(key))?.value;
  }

  set(key: unknown, value: unknown): void {
    if (isScalar(key)) this.#scalars.set(key, value);
    else (this.#composites ??= new Map()).set(canonicalText(key), { key, value });
  }

  keys(): unknown[] {
    const keys: unknown[] = [...this.#scalars.keys()];
    if (this.#composites !== null) for (const entry of this.#composites.values()) keys.push(entry.key);
    return keys;
  }
}

export class RegoSet extends RegoValue {
  readonly #scalars = new Set<Scalar>();
  #composites: Map<string, unknown> | null = null;

  static of(elements: Iterable<unknown>): RegoSet {
    const set = new RegoSet();
    for (const element of elements) set.add(element);
    return set;
  }

  get size(): number {
    return this.#scalars.size + (this.#composites?.size ?? 0);
  }

  add(element: unknown): void {
    if (isScalar(element)) this.#scalars.add(element);
    else (this.#composites ??= new Map()).set(canonicalText(element), element);
  }

  has(element: unknown): boolean {
    if (isScalar(element)) return this.#scalars.has(element);
    return this.#composites?.has(canonicalText(element)) ?? false;
  }

  elements(): unknown[] {
    const elements: unknown[] = [...this.#scalars];
    if (this.#composites !== null) elements.push(...this.#composites.values());
    return elements;
  }
}

function isScalar(value: unknown): value is Scalar {
  return typeof value !== 'object' || value === null;
}

/** A plain object: an object of a JSON document. */
export function isRecord(value: unknown): value is Record {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof RegoValue)
  );
}

export function isObject(value: unknown): value is Record | RegoObject {
  return value instanceof RegoObject || isRecord(value);
}

/** The keys of an object, in no order. A record's member that is `undefined` is absent, as JSON.stringify has it. */
export function keysOfObject(object: Record | RegoObject): unknown[] {
  if (object instanceof RegoObject) return object.keys();
  const keys = Object.keys(object);
  return keys.some((key) => object[key] === undefined)
    ? keys.filter((key) => object[key] !== undefined)
    : keys;
}

export function sizeOfObject(object: Record | RegoObject): number {
  return object instanceof RegoObject ? object.size : keysOfObject(object).length;
}

/** `source[key]` of Rego: an array by index, an object by key, a set by element; everything else is undefined. */
export function lookup(source: unknown, key: unknown): unknown {
  if (typeof source !== 'object' || source === null) return undefined;
  if (Array.isArray(source)) return typeof key === 'number' ? source[key] : undefined;
  if (source instanceof RegoObject) return source.get(key);
  if (source instanceof RegoSet) return source.has(key) ? key : undefined;
  if (source instanceof RegoValue) return undefined;
  return typeof key === 'string' && Object.hasOwn(source, key) ? (source as Record)[key] : undefined;
}

/** Every name that arrays inherit, and with them all objects: pollution of a prototype shows up here as well. */
export const inherited: object = Array.prototype;

/** Names that an array, a RegoObject, a RegoSet or a number answers to although they are no keys of it. */
export function isReserved(name: string): boolean {
  const builtIn = name in inherited || name in RegoObject.prototype || name in RegoSet.prototype;
  return builtIn || /^(length|coefficient|exponent|\d+)$/.test(name);
}

/** lookup(source, name) where `source[name]` was undefined and `name` is not reserved. */
export function lookupElsewhere(source: unknown, name: string): unknown {
  if (source instanceof RegoValue || name in inherited) return lookup(source, name);
  return undefined;
}

/** Equal values, and only those, have the same text. Keys of objects and elements of sets are sorted. */
export function canonicalText(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalText).join()}]`;
  if (value instanceof RegoSet) return `<${value.elements().map(canonicalText).toSorted().join()}>`;
  if (isObject(value)) {
    const members = keysOfObject(value).map(
      (key) => `${canonicalText(key)}:${canonicalText(lookup(value, key))}`,
    );
    return `{${members.toSorted().join()}}`;
  }
  return String(value === 0 ? 0 : value);
}
