import type { KeyPath } from '../../config/document.ts';

/** A rule over several values of a spec: for the API server, and for whoever reads an object that it let through. */
export interface CrossRule<Spec> {
  /** The value that the message speaks of. */
  readonly path: KeyPath & readonly string[];
  /** Completes the sentence "<path> …". */
  readonly message: string;
  /** In CEL, `self` being the spec with its defaults. */
  readonly cel: string;
  holds(spec: Spec): boolean;
}
