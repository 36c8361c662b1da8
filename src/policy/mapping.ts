import type { MappedValue, RoutePolicySpec } from '../model/route.ts';

/** What of a request a mapping can reach. Each is asked for only where a mapping needs it. */
export interface MappingSource {
  /** The verified token's claims, null where nobody is signed in. */
  claims(): Readonly<Record<string, unknown>> | null;
  /** By name in lower case. */
  headers(): Readonly<Record<string, string>>;
  query(): Readonly<Record<string, string>>;
  /** The body as JSON; undefined where there is none or it is no JSON. */
  body(): unknown;
}

/**
 * Sets the fields that a route maps into the policy's input (`input.order.amount` from the body, say).
 * A source that the request does not have leaves its field absent, which Rego sees as undefined.
 * Objects on the way are replaced by copies, because claims and limits are shared between requests.
 */
export function applyMapping(
  mapping: RoutePolicySpec['mapping'],
  source: MappingSource,
  input: Record<string, unknown>,
): void {
  let body: { readonly json: unknown } | undefined;
  for (const { path, value } of mapping) {
    if (value.from === 'body') body ??= { json: source.body() }; // parsed once, however many pointers
    const found = read(value, source, body?.json);
    if (found !== undefined) put(input, path, found);
  }
}

function read(value: MappedValue, source: MappingSource, body: unknown): unknown {
  switch (value.from) {
    case 'constant':
      return value.value;
    case 'claim':
      return member(source.claims(), value.name);
    case 'header':
      return member(source.headers(), value.name.toLowerCase());
    case 'query':
      return member(source.query(), value.name);
    case 'body':
      return resolvePointer(body, value.pointer);
  }
}

/** RFC 6901. Undefined where the document has nothing there, or the pointer is none. */
export function resolvePointer(document: unknown, pointer: string): unknown {
  if (pointer === '') return document;
  if (!pointer.startsWith('/')) return undefined;
  let value = document;
  for (const part of pointer.slice(1).split('/')) {
    value = member(value, part.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  return value;
}

/** An own member only: `constructor` is in no document that does not have it. */
function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return /^(0|[1-9]\d*)$/.test(name) ? value[Number(name)] : undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function put(input: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let target = input;
  for (const name of path.slice(0, -1)) {
    const there = member(target, name);
    const copy = typeof there === 'object' && there !== null && !Array.isArray(there) ? { ...there } : {};
    define(target, name, copy);
    target = copy as Record<string, unknown>;
  }
  define(target, path.at(-1) as string, value);
}

/** Assignment would call the setter of `__proto__`. */
function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}
