/**
 * What the cluster has of one kind, kept up to date: listed once, then watched. Whoever reads it may be a moment behind,
 * never wrong for good.
 */
import { type Cluster, isApiError, type Selection } from '../cluster/cluster.ts';
import { keyOf, type KubeObject } from '../cluster/objects.ts';
import type { Change } from './keeper.ts';
import { backoff, type Time } from './time.ts';

const BACKOFF = { first: 100, most: 30_000 };
/** After so many failures in a row the server may be another one, which never knew our place: begin with a list. */
const LIST_AFTER = 3;

export interface InformerOptions {
  readonly cluster: Cluster;
  readonly selection: Selection;
  readonly time: Time;
  onChange(change: Change): void;
  onFailure(error: unknown): void;
}

export class Informer {
  readonly #options: InformerOptions;
  readonly #objects = new Map<string, KubeObject>();
  readonly #synced = Promise.withResolvers<void>();

  constructor(options: InformerOptions) {
    this.#options = options;
  }

  /** Resolves when the first list is there. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get size(): number {
    return this.#objects.size;
  }

  values(): Iterable<KubeObject> {
    return this.#objects.values();
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  /** What a write of ours came to, before the watch tells it. Somebody else's change may be in it, which is news. */
  learn(object: KubeObject): void {
    this.#take(object);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { cluster, selection, time, onFailure } = this.#options;
    let from: string | null = null;
    let failures = 0;
    while (!signal.aborted) {
      try {
        if (from === null) {
          const listing = await cluster.list(selection);
          this.#replace(listing.items, listing.resourceVersion);
          from = listing.resourceVersion;
        }
        for await (const { type, object } of cluster.watch(selection, from, signal)) {
          failures = 0;
          from = object.metadata.resourceVersion ?? from;
          if (type === 'DELETED') this.#forget(object);
          else if (type !== 'BOOKMARK') this.#take(object);
        }
        // The server ends watches now and then.
        await time.sleep(BACKOFF.first, signal);
      } catch (error) {
        failures++;
        if (isApiError(error, 410) || failures >= LIST_AFTER) from = null;
        onFailure(error);
        await time.sleep(backoff(failures, BACKOFF), signal);
      }
    }
  }

  #replace(items: readonly KubeObject[], resourceVersion: string): void {
    const listed = new Set(items.map(keyOf));
    const end = { metadata: { name: '', resourceVersion } };
    for (const [key, known] of this.#objects) {
      if (!listed.has(key) && !isNewer(known, end)) this.#forget(known);
    }
    for (const item of items) this.#take(item);
    this.#synced.resolve();
  }

  #take(news: KubeObject): void {
    const object = withoutManagers(news);
    const key = keyOf(object);
    const known = this.#objects.get(key);
    if (known !== undefined && isNewer(known, object)) return;
    this.#objects.set(key, object);
    if (known?.metadata.resourceVersion === object.metadata.resourceVersion) return;
    this.#options.onChange({ before: known, after: object });
  }

  #forget(object: KubeObject): void {
    const key = keyOf(object);
    const known = this.#objects.get(key);
    if (known === undefined || isNewer(known, object)) return;
    this.#objects.delete(key);
    this.#options.onChange({ before: known, after: undefined });
  }
}

/** Who set which field is half of an object, and nobody here asks. */
function withoutManagers(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Versions of one kind count up (KEP-5504): etcd gives every write the next number. */
function isNewer(a: Pick<KubeObject, 'metadata'>, b: Pick<KubeObject, 'metadata'>): boolean {
  return BigInt(a.metadata.resourceVersion ?? 0) > BigInt(b.metadata.resourceVersion ?? 0);
}
