/** What OPA's compiler is asked and what it answers; scripts/opa-compiler/main.go has the other side. */
export interface CompilerRequest {
  /** File name (for messages) → Rego text. */
  readonly modules: Readonly<Record<string, string>>;
  /** `shop/allow`; none: only check and list. */
  readonly entrypoints: readonly string[];
  /** Every `test_` rule is an entrypoint. */
  readonly tests: boolean;
}

export interface SourceLocation {
  readonly file: string;
  readonly row: number;
  readonly column: number;
}

export interface CompilerProblem {
  /** `rego_parse_error`, `rego_type_error`, … */
  readonly code: string;
  readonly message: string;
  readonly location: SourceLocation | null;
}

export interface RuleListing {
  readonly path: string;
  readonly location: SourceLocation | null;
}

export interface TestListing {
  /** The entrypoint; empty where `skip`. */
  readonly path: string;
  /** `data.shop` */
  readonly package: string;
  /** As `opa test` prints it; the second rule of a name is `test_x#01`. */
  readonly name: string;
  readonly location: SourceLocation | null;
  readonly skip: boolean;
  /** The rule is a partial object: one member per case. */
  readonly cases: boolean;
}

export interface CompilerAnswer {
  readonly errors: readonly CompilerProblem[];
  /** Which syntax each file is written in. */
  readonly versions: Readonly<Record<string, 'v0' | 'v1'>>;
  readonly rules: readonly RuleListing[];
  readonly tests: readonly TestListing[];
  /** First call of each builtin. */
  readonly builtins: Readonly<Record<string, SourceLocation>>;
  /** OPA's intermediate representation, and its Wasm in base64; absent without entrypoints or with errors. */
  readonly plan?: unknown;
  readonly wasm?: string;
  /** Builtins that the Wasm calls on its host for; ours to add, the compiler does not say. */
  readonly hostBuiltins?: readonly string[];
}
