/** A Kubernetes API in memory: watches with a history, versions, conflicts, field owners, garbage collection, and faults on demand. */
import {
  ApiError,
  type Cluster,
  type Listing,
  type Selection,
  type WatchEvent,
} from '../../../src/kubernetes/cluster/cluster.ts';
import { keyOf, type KubeObject, type Metadata } from '../../../src/kubernetes/cluster/objects.ts';
import { FIELD_MANAGER } from '../../../src/kubernetes/resources/names.ts';
import { applyFields, conflicts, type Owners, type Path, updateOwners, valueAt } from './field-ownership.ts';
import type { VirtualTime } from './virtual-time.ts';

interface Stored {
  object: KubeObject;
  readonly owners: Owners;
}

interface Past {
  readonly version: number;
  readonly kind: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
  /** As it was: an object that leaves a selection is DELETED to who watches it. */
  readonly before: KubeObject | null;
}

export interface Weather {
  /** Chance of a request to fail, before or after it did its work. */
  failing: number;
  /** Chance of a watch to break at an event. */
  breaking: number;
  /** The longest that a request or an event takes, in milliseconds. */
  slowest: number;
}

export class MemoryCluster {
  readonly #time: VirtualTime;
  readonly #random: () => number;
  readonly #kinds = new Map<string, Map<string, Stored>>();
  #history: Past[] = [];
  #forgotten = 0;
  #version = 1;
  #uids = 0;
  #watchers = new Set<() => void>();
  /** Writes of clients by kind, without leases and events. */
  writes = 0;
  readonly weather: Weather = { failing: 0, breaking: 0, slowest: 0 };
  readonly missing = new Set<string>();
  /** Told what is there when something is applied over it. */
  onApply: (object: KubeObject) => void = () => {};

  constructor(time: VirtualTime, random: () => number) {
    this.#time = time;
    this.#random = random;
  }

  /** What an operator sees of it. */
  client(): Cluster {
    return {
      serves: (resource) => this.#request(() => !this.missing.has(resource.kind)),
      list: (selection) => this.#request(() => this.#list(selection)),
      watch: (selection, from, signal) => this.#watch(selection, from, signal),
      get: ({ kind }, namespace, name) =>
        this.#request(() => this.find(kind, `${namespace}/${name}`) ?? null),
      apply: (object, { force }) =>
        this.#request(() => this.#counted(object, () => this.apply(FIELD_MANAGER, object, force))),
      applyStatus: (object, status) =>
        this.#request(() => this.#counted(object, () => this.setStatus(object, status))),
      annotate: (object, annotations) =>
        this.#request(() => this.#counted(object, () => this.annotate(object, annotations))),
      delete: (object) => this.#request(() => this.#counted(object, () => this.remove(object))),
      create: (object) =>
        this.#request(() => this.#counted(object, () => this.create(FIELD_MANAGER, object))),
      replace: (object) => this.#request(() => this.#counted(object, () => this.#replace(object))),
    };
  }

  /** A client that stops in the middle of whatever it does when it is killed. */
  mortalClient(): { client: Cluster; kill(): void } {
    const client = this.client();
    let dead = false;
    const never = new Promise<never>(() => {});
    const call =
      <A extends unknown[], T>(method: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        if (dead) return await never;
        const answer = await method(...args);
        return dead ? await never : answer;
      };
    const mortal: Cluster = {
      serves: call(client.serves),
      list: call(client.list),
      get: call(client.get),
      apply: call(client.apply),
      applyStatus: call(client.applyStatus),
      annotate: call(client.annotate),
      delete: call(client.delete),
      create: call(client.create),
      replace: call(client.replace),
      async *watch(selection, from, signal) {
        for await (const event of client.watch(selection, from, signal)) {
          if (dead) await never;
          yield event;
        }
      },
    };
    return { client: mortal, kill: () => void (dead = true) };
  }

  find(kind: string, key: string): KubeObject | undefined {
    return this.#kinds.get(kind)?.get(key)?.object;
  }

  all(kind: string): KubeObject[] {
    return [...(this.#kinds.get(kind)?.values() ?? [])].map(({ object }) => object);
  }

  create(manager: string, given: KubeObject): KubeObject {
    if (this.find(given.kind, keyOf(given)) !== undefined) throw new ApiError(409, 'AlreadyExists', 'exists');
    const owners: Owners = new Map();
    updateOwners(owners, manager, {}, given);
    return this.#add(given, owners);
  }

  apply(manager: string, wanted: KubeObject, force: boolean): KubeObject {
    const stored = this.#kinds.get(wanted.kind)?.get(keyOf(wanted));
    if (stored === undefined) {
      const owners: Owners = new Map();
      const { apiVersion, kind, metadata } = wanted;
      const bare = { apiVersion, kind, metadata: { name: metadata.name, namespace: metadata.namespace } };
      applyFields(bare as unknown as Record<string, unknown>, owners, manager, wanted);
      return this.#add(bare as unknown as KubeObject, owners);
    }
    if (!force && conflicts(stored.object, stored.owners, manager, wanted)) {
      throw new ApiError(409, 'Conflict', 'somebody else has set it otherwise');
    }
    this.onApply(stored.object);
    const object = structuredClone(stored.object) as unknown as Record<string, unknown>;
    applyFields(object, stored.owners, manager, wanted);
    return this.#change(stored, object as unknown as KubeObject);
  }

  /** Puts an object there with the uid and the generation that it had. */
  restore(object: KubeObject): void {
    const { uid, generation } = object.metadata;
    const added = this.create('person', structuredClone(object));
    Object.assign(added.metadata, { uid, generation });
  }

  /** The fields that are `manager`'s, with their values. */
  fieldsOf({ kind, metadata }: KubeObject, manager: string): Record<string, unknown> {
    const stored = this.#kinds.get(kind)?.get(keyOf({ metadata }));
    const fields = [...(stored?.owners.get(manager) ?? [])].toSorted();
    return Object.fromEntries(fields.map((key) => [key, valueAt(stored?.object, JSON.parse(key) as Path)]));
  }

  /** As a person edits it: whatever `change` does to a copy. */
  edit(kind: string, key: string, change: (object: Record<string, unknown>) => void): void {
    const stored = this.#kinds.get(kind)?.get(key);
    if (stored === undefined) return;
    const object = structuredClone(stored.object) as unknown as Record<string, unknown>;
    change(object);
    updateOwners(stored.owners, 'person', stored.object, object);
    this.#change(stored, object as unknown as KubeObject);
  }

  setStatus({ kind, metadata }: KubeObject, status: object): KubeObject {
    const stored = this.#kinds.get(kind)?.get(keyOf({ metadata }));
    if (stored === undefined) throw new ApiError(404, 'NotFound', 'not found');
    if (metadata.uid !== stored.object.metadata.uid) throw new ApiError(409, 'Conflict', 'another uid');
    return this.#change(stored, { ...stored.object, status: structuredClone(status) });
  }

  annotate({ kind, metadata }: KubeObject, annotations: Readonly<Record<string, string>>): KubeObject | null {
    const stored = this.#kinds.get(kind)?.get(keyOf({ metadata }));
    if (stored === undefined || metadata.uid !== stored.object.metadata.uid) return null;
    const { metadata: before } = stored.object;
    const after = { ...before, annotations: { ...before.annotations, ...annotations } };
    return this.#change(stored, { ...stored.object, metadata: after } as KubeObject);
  }

  /** The object with this uid. What it owns stays until `collectGarbage`. */
  remove({ kind, metadata }: KubeObject): void {
    const objects = this.#kinds.get(kind);
    const stored = objects?.get(keyOf({ metadata }));
    if (stored === undefined || stored.object.metadata.uid !== metadata.uid) return;
    objects?.delete(keyOf({ metadata }));
    const last = this.#stamped(stored.object);
    this.#note('DELETED', last, stored.object);
  }

  collectGarbage(): void {
    const alive = new Set(
      [...this.#kinds.values()].flatMap((all) => [...all.values()].map(({ object }) => object.metadata.uid)),
    );
    for (const kind of this.#kinds.keys()) {
      for (const object of this.all(kind)) {
        const { ownerReferences = [] } = object.metadata;
        if (ownerReferences.length > 0 && !ownerReferences.some(({ uid }) => alive.has(uid)))
          this.remove(object);
      }
    }
  }

  /** As etcd is compacted: a watch from before cannot go on. */
  compact(): void {
    this.#forgotten = this.#version;
    this.#history = [];
  }

  #list({ resource, labels }: Selection): Listing {
    const items = this.all(resource.kind).filter((object) => isSelected(object, labels));
    return { items: structuredClone(items), resourceVersion: String(this.#version) };
  }

  async *#watch(
    { resource, labels }: Selection,
    from: string,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent> {
    let at = Number(from);
    while (!signal.aborted) {
      if (at < this.#forgotten) throw new ApiError(410, 'Expired', 'too old resource version');
      const next = this.#history.find(({ version, kind }) => version > at && kind === resource.kind);
      if (next === undefined) {
        await this.#news(signal);
        continue;
      }
      await this.#delay(signal);
      if (signal.aborted) return;
      if (this.#random() < this.weather.breaking) throw new ApiError(0, 'Unreachable', 'the watch broke');
      at = next.version;
      const was = next.before !== null && isSelected(next.before, labels);
      const is = next.type !== 'DELETED' && isSelected(next.object, labels);
      const object = structuredClone(next.object);
      if (is) yield { type: was ? 'MODIFIED' : 'ADDED', object };
      else if (was) yield { type: 'DELETED', object };
    }
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#watchers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#watchers.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  async #request<T>(work: () => T): Promise<T> {
    await this.#delay();
    const fate = this.#random();
    if (fate < this.weather.failing / 2) throw new ApiError(503, 'ServiceUnavailable', 'not now');
    const answer = structuredClone(work());
    await this.#delay();
    // The worst of faults: it was done, and the answer is lost.
    if (fate < this.weather.failing) throw new ApiError(0, 'Unreachable', 'the answer is lost');
    return answer;
  }

  async #delay(signal?: AbortSignal): Promise<void> {
    const { slowest } = this.weather;
    if (slowest > 0) await this.#time.sleep(this.#random() * slowest, signal);
  }

  #counted<T>({ kind }: KubeObject, work: () => T): T {
    if (kind !== 'Lease' && kind !== 'Event') this.writes++;
    return work();
  }

  #replace(object: KubeObject): KubeObject {
    const stored = this.#kinds.get(object.kind)?.get(keyOf(object));
    if (stored === undefined) throw new ApiError(404, 'NotFound', 'not found');
    if (stored.object.metadata.resourceVersion !== object.metadata.resourceVersion) {
      throw new ApiError(409, 'Conflict', 'the object has been modified');
    }
    return this.#change(stored, object);
  }

  #add(object: KubeObject, owners: Owners): KubeObject {
    const metadata: Metadata = { ...object.metadata, uid: `uid-${++this.#uids}`, generation: 1 };
    const added = this.#stamped(withDefaults({ ...structuredClone(object), metadata } as KubeObject));
    const objects = this.#kinds.get(object.kind) ?? new Map<string, Stored>();
    this.#kinds.set(object.kind, objects.set(keyOf(added), { object: added, owners }));
    this.#note('ADDED', added, null);
    return added;
  }

  #change(stored: Stored, object: KubeObject): KubeObject {
    const before = stored.object;
    if (JSON.stringify(before) === JSON.stringify(object)) return before;
    const respecified = JSON.stringify(before['spec']) !== JSON.stringify(object['spec']);
    const generation = (before.metadata.generation ?? 1) + (respecified ? 1 : 0);
    stored.object = this.#stamped({ ...object, metadata: { ...object.metadata, generation } } as KubeObject);
    this.#note('MODIFIED', stored.object, before);
    return stored.object;
  }

  #stamped(object: KubeObject): KubeObject {
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    return { ...object, metadata } as KubeObject;
  }

  #note(type: Past['type'], object: KubeObject, before: KubeObject | null): void {
    this.#history.push({ version: this.#version, kind: object.kind, type, object, before });
    for (const wake of this.#watchers) wake();
  }
}

function isSelected(object: KubeObject, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => object.metadata.labels?.[name] === value);
}

/** Some of what the API server fills in by itself. */
function withDefaults(object: KubeObject): KubeObject {
  const spec = object['spec'];
  if (object.kind === 'Service') return { ...object, spec: { ...(spec as object), clusterIP: '10.43.0.9' } };
  if (object.kind === 'Deployment')
    return { ...object, spec: { ...(spec as object), revisionHistoryLimit: 10 } };
  return object;
}
