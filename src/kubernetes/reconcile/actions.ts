/** What a reconcile wants done. The shell does it, in this order, and stops at the first that fails. */
import type { KubeObject } from '../cluster/objects.ts';

export type Action =
  /** Server-side apply with our field manager. `force`: it is ours already; else it must not be anybody's. */
  | { readonly do: 'apply'; readonly object: KubeObject; readonly force: boolean }
  /** Only the object that was looked at (its uid), not one of the same name that came after it. */
  | { readonly do: 'delete'; readonly object: KubeObject }
  | { readonly do: 'status'; readonly object: KubeObject; readonly status: object }
  /** Annotations of an object that is not ours otherwise: a pod. Only the one with this uid. */
  | {
      readonly do: 'annotate';
      readonly object: KubeObject;
      readonly annotations: Readonly<Record<string, string>>;
    }
  /** What we wait for happens where nobody tells us. */
  | { readonly do: 'look-again'; readonly afterMs: number }
  | { readonly do: 'event'; readonly about: KubeObject; readonly event: Happening };

/** For `kubectl describe`. */
export interface Happening {
  readonly type: 'Normal' | 'Warning';
  /** One word for programs. */
  readonly reason: string;
  /** A sentence for people. */
  readonly message: string;
}
