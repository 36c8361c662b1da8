import { isObject, keysOfObject, lookup, RegoObject, RegoSet } from '../values.ts';

/** json.filter and json.remove: members of an object named by paths, "a/b" or ["a", "b"]. */

/** Paths as one tree: an object per step, null at the end of a path. */
function treeOf(paths: unknown): RegoObject | undefined {
  const all = paths instanceof RegoSet ? paths.elements() : Array.isArray(paths) ? paths : undefined;
  const parsed = all?.map(steps);
  if (parsed === undefined || parsed.includes(undefined)) return undefined;
  const root = new RegoObject();
  for (const path of parsed as unknown[][]) plant(root, path);
  return root;
}

function steps(path: unknown): unknown[] | undefined {
  if (Array.isArray(path)) return path;
  if (typeof path !== 'string') return undefined;
  if (path === '') return [];
  const parts = path.replace(/^\/+/, '').split('/');
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function plant(root: RegoObject, path: readonly unknown[]): void {
  let node = root;
  for (const step of path.slice(0, -1)) {
    const next = node.get(step);
    if (next === null) return;
    const child = (next as RegoObject | undefined) ?? new RegoObject();
    node.set(step, child);
    node = child;
  }
  if (path.length > 0) node.set(path.at(-1), null);
}

function remove(value: unknown, tree: unknown): unknown {
  if (tree === null) return undefined;
  return tree instanceof RegoObject
    ? rebuild(value, (member, step) => remove(member, tree.get(step)))
    : value;
}

function filter(value: unknown, tree: unknown): unknown {
  if (tree === null) return value;
  return tree instanceof RegoObject
    ? rebuild(value, (member, step) => filter(member, tree.get(step)))
    : undefined;
}

const present = (member: unknown): boolean => member !== undefined;

/** A copy with every member replaced, or left out where there is no replacement. Array indices are steps as text. */
function rebuild(value: unknown, replace: (member: unknown, step: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((member, i) => replace(member, String(i))).filter(present);
  if (value instanceof RegoSet) {
    return RegoSet.of(
      value
        .elements()
        .map((element) => replace(element, element))
        .filter(present),
    );
  }
  if (!isObject(value)) return value;
  const copy = new RegoObject();
  for (const key of keysOfObject(value)) {
    const member = replace(lookup(value, key), key);
    if (member !== undefined) copy.set(key, member);
  }
  return copy;
}

function onObject(operation: (value: unknown, tree: unknown) => unknown) {
  return (object: unknown, paths: unknown) => {
    const tree = treeOf(paths);
    return isObject(object) && tree !== undefined ? operation(object, tree) : undefined;
  };
}

export const pointers = { 'json.filter': onObject(filter), 'json.remove': onObject(remove) };
