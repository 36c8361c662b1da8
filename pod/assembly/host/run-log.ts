import { ERROR, sayOfRun } from "../log";
import { reserve } from "../memory/arena";
import { put } from "../memory/bytes";
import { MAX_MESSAGE_BYTES } from "../text";

/** A request may log this many lines; what is beyond is cut, so that a guest cannot drown the log. */
const MAX_LINES: i32 = 100;

let lines: i32 = 0;
let scratch: usize = 0;

export function openRunLog(): void {
  scratch = reserve(256);
}

export function beginLogOfRun(): void {
  lines = 0;
}

export function isFull(): bool {
  return lines >= MAX_LINES;
}

/** A line of the function's log. */
export function logOfRun(level: i32, start: usize, length: usize): void {
  if (lines >= MAX_LINES) return;
  lines++;
  sayOfRun(level, start, start + min(length, MAX_MESSAGE_BYTES));
}

/** Why there is no answer of the function: one line a request, also when the function has logged all it may. */
export function report(message: string, word: string): void {
  sayOfRun(ERROR, scratch, put(put(scratch, message), word));
}
