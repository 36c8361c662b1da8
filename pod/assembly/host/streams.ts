import { ERROR } from "../log";
import { reserve } from "../memory/arena";
import { capacity, grow, release } from "../memory/blocks";
import { find } from "../memory/bytes";
import { MAX_MESSAGE_BYTES } from "../text";
import { isFull, logOfRun } from "./run-log";

/** The three standard streams of a run. */
export const STDIN: u32 = 0;
export const STDOUT: u32 = 1;
export const STDERR: u32 = 2;

const FIRST_BYTES: usize = 4096;
/** What a large answer took is given back after it. */
const KEPT_BYTES: usize = 65_536;

/** Standard input: what is left of it. */
export let inputStart: usize = 0;
export let inputEnd: usize = 0;

/** Standard output: collected up to a ceiling. 0: it goes to the log. */
let ceiling: usize = 0;
export let output: usize = 0;
export let outputBytes: usize = 0;
export let overflowed: bool = false;

/** Standard error: each line a line of the function's log. */
let line: usize = 0;
let lineBytes: usize = 0;
/** How much more is looked at in this run. */
let room: usize = 0;
const MAX_ERROR_BYTES: usize = 100 * MAX_MESSAGE_BYTES;

export function openStreamBuffers(): void {
  line = reserve(MAX_MESSAGE_BYTES);
}

export function openStreams(start: usize, end: usize): void {
  inputStart = start;
  inputEnd = end;
  ceiling = 0;
  outputBytes = 0;
  overflowed = false;
  lineBytes = 0;
  room = MAX_ERROR_BYTES;
}

/** Standard output is the answer, of so many bytes at most. */
export function collectOutput(maxBytes: usize): void {
  ceiling = maxBytes;
}

/** The run is over: a last line without an end is one, too. */
export function closeStreams(): void {
  if (lineBytes > 0) endLine();
}

/** The answer is sent. */
export function releaseOutput(): void {
  if (output == 0 || capacity(output) <= KEPT_BYTES) return;
  release(output);
  output = 0;
}

export function takeInput(to: usize, count: usize): void {
  memory.copy(to, inputStart, count);
  inputStart += count;
}

/** False: it was too much, and the program is to be ended. */
export function writeOutput(start: usize, length: usize): bool {
  if (ceiling == 0) {
    writeError(start, length);
    return true;
  }
  const needed = outputBytes + length;
  const larger: usize = needed > ceiling ? 0 : grow(output, outputBytes, max(needed, FIRST_BYTES));
  if (larger == 0) {
    overflowed = true;
    return false;
  }
  output = larger;
  memory.copy(output + outputBytes, start, length);
  outputBytes = needed;
  return true;
}

/** What is beyond the log's limits is cut, and the program goes on. */
export function writeError(start: usize, length: usize): void {
  const taken = min(length, room);
  room -= taken;
  const end = start + taken;
  for (let i = start; i < end && !isFull();) {
    const newline = find(i, end, 0x0a);
    const count = min(newline - i, MAX_MESSAGE_BYTES - lineBytes);
    memory.copy(line + lineBytes, i, count);
    lineBytes += count;
    if (newline == end) break;
    endLine();
    i = newline + 1;
  }
}

function endLine(): void {
  logOfRun(ERROR, line, lineBytes);
  lineBytes = 0;
}
