import { strings } from './strings.ts';

/** A builtin function of Rego. Arguments are never undefined; the answer is undefined where Rego's is, type errors included. */
export type Builtin = (...args: readonly never[]) => unknown;

/** Every builtin that is exact here, by its Rego name. */
export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>([...Object.entries(strings)]);
