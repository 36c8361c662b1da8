/**
 * Who owns which field: as much of server-side apply as the operator uses
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/). Lists of named items are merged, others are one field.
 */
type Mapping = Record<string, unknown>;
/** A key of a mapping, or an item of a list by its name. */
type Step = string | { readonly name: unknown };
export type Path = readonly Step[];

export type Owners = Map<string, Set<string>>;

/** The fields that an object sets, without those that only say which object it is. */
export function fieldsOf(object: unknown, at: Path = []): Path[] {
  if (at.length === 1 && (at[0] === 'apiVersion' || at[0] === 'kind')) return [];
  if (
    at[0] === 'metadata' &&
    at.length === 2 &&
    !['labels', 'annotations', 'ownerReferences'].includes(at[1] as string)
  )
    return [];
  if (isMapping(object)) {
    const entries = Object.entries(object);
    return entries.length === 0 ? [at] : entries.flatMap(([key, value]) => fieldsOf(value, [...at, key]));
  }
  if (isNamedList(object)) return object.flatMap((item) => fieldsOf(item, [...at, { name: item.name }]));
  return [at];
}

export function valueAt(object: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, step) => child(inner, step), object);
}

/** Changes `object`. */
export function setAt(object: Mapping, path: Path, value: unknown): void {
  let inner: unknown = object;
  for (const [index, step] of path.entries()) {
    const last = index === path.length - 1;
    const next = path[index + 1];
    if (typeof step === 'string') {
      const holder = inner as Mapping;
      if (last) holder[step] = structuredClone(value);
      else holder[step] ??= typeof next === 'string' ? {} : [];
      inner = holder[step];
    } else {
      const list = inner as Mapping[];
      let item = list.find(({ name }) => name === step.name);
      if (item === undefined) list.push((item = { name: step.name }));
      inner = item;
    }
  }
}

/** Changes `object`; what becomes empty by it goes too. */
export function removeAt(object: Mapping, path: Path): void {
  const parent = valueAt(object, path.slice(0, -1));
  const step = path.at(-1) as Step;
  if (typeof step === 'string' && isMapping(parent)) delete parent[step];
  else if (Array.isArray(parent)) {
    const index = (parent as Mapping[]).findIndex(({ name }) => name === (step as { name: unknown }).name);
    if (index >= 0) parent.splice(index, 1);
  }
  if (path.length > 1 && isBare(valueAt(object, path.slice(0, -1)))) removeAt(object, path.slice(0, -1));
}

/** What `manager` wants of `live` is so afterwards, and what it wanted before and does not any more is gone. */
export function applyFields(live: Mapping, owners: Owners, manager: string, wanted: object): void {
  const before = owners.get(manager) ?? new Set();
  const now = new Map(fieldsOf(wanted).map((path) => [JSON.stringify(path), path]));
  owners.set(manager, new Set(now.keys()));
  for (const key of before) {
    const shared = [...owners].some(([other, fields]) => other !== manager && fields.has(key));
    if (!now.has(key) && !shared) removeAt(live, JSON.parse(key) as Path);
  }
  for (const [key, path] of now) {
    const value = valueAt(wanted, path);
    if (JSON.stringify(valueAt(live, path)) === JSON.stringify(value)) continue;
    setAt(live, path, value);
    for (const [other, fields] of owners) if (other !== manager) fields.delete(key);
  }
}

/** After an update by `manager`, which changed `before` to `after`. */
export function updateOwners(owners: Owners, manager: string, before: object, after: object): void {
  const mine = owners.get(manager) ?? new Set<string>();
  owners.set(manager, mine);
  for (const fields of owners.values()) {
    for (const key of fields) if (valueAt(after, JSON.parse(key) as Path) === undefined) fields.delete(key);
  }
  for (const path of fieldsOf(after)) {
    if (JSON.stringify(valueAt(before, path)) === JSON.stringify(valueAt(after, path))) continue;
    const key = JSON.stringify(path);
    for (const fields of owners.values()) fields.delete(key);
    mine.add(key);
  }
}

/** Whether others own fields that `wanted` wants otherwise. */
export function conflicts(live: object, owners: Owners, manager: string, wanted: object): boolean {
  return fieldsOf(wanted).some((path) => {
    const key = JSON.stringify(path);
    const others = [...owners].some(([other, fields]) => other !== manager && fields.has(key));
    return others && JSON.stringify(valueAt(live, path)) !== JSON.stringify(valueAt(wanted, path));
  });
}

function child(value: unknown, step: Step): unknown {
  if (typeof step === 'string') return isMapping(value) ? value[step] : undefined;
  return Array.isArray(value) ? (value as Mapping[]).find(({ name }) => name === step.name) : undefined;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNamedList(value: unknown): value is { readonly name: unknown }[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => isMapping(item) && 'name' in item);
}

/** Nothing in it, or nothing but the name of a list's item. */
function isBare(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isMapping(value) && Object.keys(value).every((key) => key === 'name');
}
