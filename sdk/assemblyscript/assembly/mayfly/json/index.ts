/** `import { JSON } from "mayfly"`: read with `JSON.parse`, write with `JSON.object()` and `JSON.array()`. */
import { Writer } from "./writer";

export { parse, MAX_DEPTH } from "./parse";
export { Value } from "./value";
export { Writer } from "./writer";

/** A writer whose text is an object. */
export function object(): Writer {
  return new Writer(true);
}

/** A writer whose text is an array. */
export function array(): Writer {
  return new Writer(false);
}
