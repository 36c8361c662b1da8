import type { RevisionSpec } from '../model/function.ts';

/** What a probe thread is started with. */
export interface ProbeThreadData {
  readonly epoch: WebAssembly.Memory;
}

/** What it is asked: does this start? */
export type ProbeOrder = RevisionSpec;

export type ProbeReport =
  /** It does. The thread is not done with it yet. */
  | { readonly type: 'started' }
  | { readonly type: 'failed'; readonly error: string }
  /** The thread is done with a revision that started, and can take the next. */
  | { readonly type: 'rehearsed' };
