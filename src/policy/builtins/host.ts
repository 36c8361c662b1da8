/** A builtin that OPA's Wasm leaves to its host: arguments as Rego text, the result as JSON, undefined on an error. */
export type HostBuiltin = (values: readonly string[]) => string | undefined;

export const hostBuiltins: ReadonlyMap<string, HostBuiltin> = new Map();
