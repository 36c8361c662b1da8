import type { FunctionSpec } from './function.ts';
import type { RouteSpec } from './route.ts';

/** A compiled policy as it travels to the data plane (policy/compile.ts makes it). */
export interface PolicySpec {
  readonly id: string;
  /** `sha256:<hex>` of the sources and data. */
  readonly digest: string;
  readonly entrypoints: readonly string[];
  /** OPA's own compiled form: the reference. Null only with `opaUrl`. */
  readonly wasm: WebAssembly.Module | null;
  /** The plan translated to JavaScript, or null when something in it is not covered. */
  readonly javascript: string | null;
  /** Why `javascript` is null, for people. */
  readonly javascriptRefused: string | null;
  readonly data: unknown;
  /** Ask a running OPA instead: base URL of its REST API. */
  readonly opaUrl: string | null;
}

/** A policy that is decided here. */
export type LocalPolicySpec = PolicySpec & { readonly wasm: WebAssembly.Module };

export interface AuthSpec {
  /** HS256 secret, null when only key sets are used. */
  readonly secret: Uint8Array | null;
  /** RFC 7517 key set, refreshed by the control plane. */
  readonly jwks: { readonly keys: readonly Record<string, unknown>[] } | null;
  readonly issuer: string | null;
  readonly audience: string | null;
  /** Oldest acceptable `iat`, milliseconds; null: no such check. */
  readonly maxTokenAgeMs: number | null;
  readonly clockToleranceMs: number;
}

/** Limits and times of the HTTP front. Sizes in bytes, times in milliseconds. */
export interface HttpSpec {
  readonly maxHeadBytes: number;
  readonly maxHeaders: number;
  readonly maxTargetBytes: number;
  /** Whole head must have arrived after this; also the pause allowed within a body and on an idle connection. */
  readonly timeoutMs: number;
  readonly maxConnections: number;
  readonly tls: { readonly certificate: string; readonly key: string } | null;
}

/** Everything a data-plane thread needs to answer requests. Immutable; a new one replaces the old as a whole. */
export interface Snapshot {
  readonly version: number;
  readonly http: HttpSpec;
  readonly auth: AuthSpec | null;
  readonly routes: readonly RouteSpec[];
  readonly functions: readonly FunctionSpec[];
  readonly policies: readonly PolicySpec[];
  /** Live Wasm instances this thread may keep (concurrency.max_workers divided over the threads). */
  readonly maxInstances: number;
  /** 0..1: which share of allowed decisions is logged (denied ones always are, when the decision log is on). */
  readonly decisionLog: { readonly sample: number; readonly mask: readonly string[] } | null;
  /** Send one record a request to the control plane (mayfly dev). */
  readonly traceRequests: boolean;
}
