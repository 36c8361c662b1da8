/** What the operator asks of a Kubernetes API: over HTTP (client.ts), or of one in memory in tests. */
import type { KubeObject, Resource } from './objects.ts';

export interface Listing {
  readonly items: readonly KubeObject[];
  /** A watch goes on from here. */
  readonly resourceVersion: string;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: KubeObject;
}

/** Objects of one kind that have these labels. */
export interface Selection {
  readonly resource: Resource;
  readonly labels: Readonly<Record<string, string>>;
}

/** Every method throws ApiError. */
export interface Cluster {
  /** Whether the API has this kind. */
  serves(resource: Resource): Promise<boolean>;
  /** Of all namespaces, or of those that this cluster was opened for. */
  list(selection: Selection): Promise<Listing>;
  /** Ends when the server or `signal` ends it; 410 when it does not remember `from` any more. */
  watch(selection: Selection, from: string, signal: AbortSignal): AsyncIterable<WatchEvent>;
  /** null: there is none. */
  get(resource: Resource, namespace: string, name: string): Promise<KubeObject | null>;
  /**
   * Server-side apply with our field manager. `force`: what we want of a field is what it becomes; without it, 409 when
   * somebody else has set one otherwise. `dryRun`: the answer is what would be, and nothing changes.
   */
  apply(object: KubeObject, how: { readonly force: boolean; readonly dryRun?: boolean }): Promise<KubeObject>;
  /** The same for the status alone, on the condition that the object is still the one with this uid. */
  applyStatus(object: KubeObject, status: object): Promise<KubeObject>;
  /** Sets annotations of the object with this uid. null: it is gone. */
  annotate(object: KubeObject, annotations: Readonly<Record<string, string>>): Promise<KubeObject | null>;
  /** The object with this uid, and in the background all that it owns. Nothing when it is gone already. */
  delete(object: KubeObject): Promise<void>;
  /** 409 when there is one. */
  create(object: KubeObject): Promise<KubeObject>;
  /** 409 when it changed since its resourceVersion. */
  replace(object: KubeObject): Promise<KubeObject>;
}

/** An answer that is not a success, or none at all (`status` 0). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly reason: string;
  /** What the server asks us to wait. */
  readonly retryAfterMs: number | null;

  constructor(
    status: number,
    reason: string,
    message: string,
    more: { retryAfterMs?: number | null; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = more.retryAfterMs ?? null;
  }
}

export function isApiError(error: unknown, status: number): error is ApiError {
  return error instanceof ApiError && error.status === status;
}
