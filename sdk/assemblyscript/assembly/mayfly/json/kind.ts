/** What a JSON value is. */
export enum Kind {
  /** There is no such member or element. */
  Missing,
  /** The text was not JSON; `error` says why. */
  Invalid,
  Null,
  False,
  True,
  Number,
  String,
  Array,
  Object,
}

/** Bits that the parser notes about a value, so that reading it later can take the short way. */
export const LAST: u8 = 1;
export const ESCAPED: u8 = 2;
export const INTEGER: u8 = 4;
