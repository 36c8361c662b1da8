import { sorted } from '../order.ts';
import { isObject, keysOfObject, lookup, RegoObject, RegoSet } from '../values.ts';

type AnyObject = Parameters<typeof keysOfObject>[0];

function objectOf(keys: readonly unknown[], value: (key: unknown) => unknown): RegoObject {
  const object = new RegoObject();
  for (const key of keys) {
    const member = value(key);
    if (member !== undefined) object.set(key, member);
  }
  return object;
}

/** Keys given as an array, a set, or the keys of an object. */
function keySet(keys: unknown): RegoSet | undefined {
  if (keys instanceof RegoSet) return keys;
  if (Array.isArray(keys)) return RegoSet.of(keys);
  return isObject(keys) ? RegoSet.of(keysOfObject(keys)) : undefined;
}

function get(object: unknown, path: unknown, otherwise: unknown): unknown {
  if (!isObject(object)) return undefined;
  const found = Array.isArray(path) ? path.reduce<unknown>(lookup, object) : lookup(object, path);
  return found === undefined ? otherwise : found;
}

function pick(object: unknown, keys: unknown, kept: boolean): unknown {
  const named = keySet(keys);
  if (!isObject(object) || named === undefined) return undefined;
  const chosen = keysOfObject(object).filter((key) => named.has(key) === kept);
  return objectOf(chosen, (key) => lookup(object, key));
}

/** Objects are merged key by key; of anything else the later one wins. */
function union(a: unknown, b: unknown): unknown {
  if (!isObject(a) || !isObject(b)) return b;
  const merged = objectOf(keysOfObject(a), (key) => lookup(a, key));
  for (const key of keysOfObject(b)) {
    const before = merged.get(key);
    merged.set(key, before === undefined ? lookup(b, key) : union(before, lookup(b, key)));
  }
  return merged;
}

/** walk: every [path, value] pair below a value, itself first, in Rego's order. */
function walk(value: unknown): unknown[] {
  const pairs: unknown[] = [];
  const visit = (path: unknown[], node: unknown): void => {
    pairs.push([path, node]);
    for (const key of childKeys(node)) visit([...path, key], lookup(node, key));
  };
  visit([], value);
  return pairs;
}

function childKeys(node: unknown): unknown[] {
  if (Array.isArray(node)) return node.map((_, index) => index);
  if (node instanceof RegoSet) return sorted(node.elements());
  return isObject(node) ? sorted(keysOfObject(node)) : [];
}

/** graph.reachable: the nodes of a graph (an object of node to neighbours) that paths from `initial` lead to. */
function reachable(graph: unknown, initial: unknown): unknown {
  const queue = neighbours(initial);
  if (!isObject(graph) || queue === undefined) return undefined;
  const reached = new RegoSet();
  for (const node of queue) {
    const edges = lookup(graph, node);
    if (edges === undefined || reached.has(node)) continue;
    reached.add(node);
    queue.push(...(neighbours(edges) ?? []));
  }
  return reached;
}

function neighbours(edges: unknown): unknown[] | undefined {
  return edges instanceof RegoSet ? edges.elements() : Array.isArray(edges) ? [...edges] : undefined;
}

export const objects = {
  'object.get': get,
  'object.keys': (object: unknown) => (isObject(object) ? RegoSet.of(keysOfObject(object)) : undefined),
  'object.remove': (object: unknown, keys: unknown) => pick(object, keys, false),
  'object.filter': (object: unknown, keys: unknown) => pick(object, keys, true),
  'object.union': (a: unknown, b: unknown) => (isObject(a) && isObject(b) ? union(a, b) : undefined),
  'object.union_n': (all: unknown) =>
    Array.isArray(all) && all.every(isObject)
      ? (all as AnyObject[]).reduce<unknown>(union, new RegoObject())
      : undefined,
  walk,
  'graph.reachable': reachable,
};
