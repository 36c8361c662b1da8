import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';

/** The version of OPA whose test cases these are. */
export const opaVersion = '1.22.2';

/** One of OPA's own test cases, compiled (opa-cases/main.go). */
export interface OpaCase {
  readonly note: string;
  readonly entrypoint: string;
  readonly plan: unknown;
  /** base64; absent in the fixture. */
  readonly wasm?: string;
  readonly data?: unknown;
  readonly input?: unknown;
  /** Input that is no JSON: Rego source with sets. */
  readonly inputTerm?: string;
  /** What OPA's evaluator answers. */
  readonly native: { readonly defined: boolean; readonly value?: unknown; readonly error?: string };
  /** Why the case cannot be compiled. */
  readonly skipped?: string;
}

export const fixture = join(import.meta.dirname, 'fixtures', `opa-cases-${opaVersion}.jsonl.zst`);

export function* fixtureCases(): Generator<OpaCase> {
  for (const line of zstdDecompressSync(readFileSync(fixture)).toString().split('\n')) {
    if (line !== '') yield JSON.parse(line) as OpaCase;
  }
}
