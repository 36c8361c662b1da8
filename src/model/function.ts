import type { UpstreamSpec } from './upstream.ts';

/**
 * How a guest is spoken to; told from its exports at deploy (docs/reference/guest-abi.md). `upstream`: it is none, requests are
 * forwarded.
 */
export type Kind = 'handler' | 'wagi' | 'upstream';

/** What one function may use. Times in milliseconds, sizes in bytes. */
export interface Limits {
  /** Ceiling of the guest's linear memories together. */
  readonly memoryBytes: number;
  /** CPU a request may use before it is stopped with 504. */
  readonly cpuBudgetMs: number;
  /** Share of one core in thousandths (Kubernetes' `100m` is 100): how fast the budget of the whole function refills. */
  readonly cpuMillicores: number;
  /** From the first byte of the request's turn to its answer. */
  readonly requestTimeoutMs: number;
  readonly maxRequestBodyBytes: number;
  readonly maxResponseBodyBytes: number;
  /** Requests of this function in flight at once, over all threads. */
  readonly maxConcurrentRequests: number;
  /** Requests that may wait for a place beyond those. */
  readonly queueSize: number;
  /** How long one may wait there. */
  readonly queueTimeoutMs: number;
}

/** A function's revision as a data-plane thread needs it: the artifact compiled, its configuration settled. Immutable. */
export interface RevisionSpec {
  /** `<function>-<n>`, n counting from 1. */
  readonly id: string;
  readonly function: string;
  readonly number: number;
  /** `sha256:<hex>` of the module as it was uploaded. */
  readonly digest: string;
  readonly kind: Kind;
  /** Prepared (rewritten) and compiled on the control plane; structured clone shares the machine code. */
  readonly module: WebAssembly.Module;
  /** What the rewriter learnt, a plain object (runtime/prepare: PreparedInfo). */
  readonly prepared: unknown;
  readonly limits: Limits;
  /** Values the guest may read (the `config` capability; environment variables of a wagi). */
  readonly env: Readonly<Record<string, string>>;
  /** Where requests are forwarded to, of kind `upstream`. */
  readonly upstream?: UpstreamSpec | undefined;
}

/** A function as the data plane sees it: which revisions share its requests. */
export interface FunctionSpec {
  readonly name: string;
  /** Its row in the shared tables (metrics, concurrency): stable while the process lives. */
  readonly slot: number;
  /** One entry, or two while a rollout is under way. Weights sum to 100. */
  readonly traffic: readonly RevisionShare[];
  /** Requests that take longer are counted as slow, milliseconds; null: none are. */
  readonly slowMs: number | null;
}

export interface RevisionShare {
  readonly revision: RevisionSpec;
  readonly weight: number;
  /** Which of the function's `TRACKS` places in the metrics is its own: the same as long as it has traffic. */
  readonly track: number;
  /** Digest of the image it came from, or of its module: the same on every machine. */
  readonly origin: string;
}

/** No more revisions of a function than this share its requests. */
export const TRACKS = 2;
