import { arithmetic } from './arithmetic.ts';
import { bits } from './bits.ts';
import { cidr } from './cidr.ts';
import { collections } from './collections.ts';
import { encoding } from './encoding.ts';
import { objects } from './objects.ts';
import { patterns } from './patterns.ts';
import { pointers } from './pointers.ts';
import { sets } from './sets.ts';
import { strings } from './strings.ts';
import { text } from './text.ts';
import { types } from './types.ts';

/** A builtin function of Rego. Arguments are never undefined; the answer is undefined where Rego's is, type errors included. */
export type Builtin = (...args: never[]) => unknown;

const families = [
  arithmetic,
  bits,
  cidr,
  collections,
  encoding,
  objects,
  patterns,
  pointers,
  sets,
  strings,
  text,
  types,
];

/** Every builtin that is exact here (or falls back, see ../fallback.ts), by its Rego name. */
export const builtins: ReadonlyMap<string, Builtin> = new Map(
  families.flatMap((family) => Object.entries<Builtin>(family)),
);
