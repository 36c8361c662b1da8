import { reserve } from "./memory/arena";
import { put, putBytes, putNumber } from "./memory/bytes";
import { hasId, idBytes, idStart } from "./server/request-id";
import { putTimestamp } from "./server/time";
import { settings } from "./settings";
import * as text from "./text";
import * as wasi from "./wasi";

/** One JSON object a line on standard output, with the fields of the gateway's log (src/observability/log.ts). */
export const DEBUG: i32 = 0;
export const INFO: i32 = 1;
export const WARN: i32 = 2;
export const ERROR: i32 = 3;

const STDOUT: i32 = 1;
/** A character of a message may become six: \u0000. */
const LINE_BYTES: usize = 6 * text.MAX_MESSAGE_BYTES + 1024;

let line: usize = 0;

export function openLog(): void {
  line = reserve(LINE_BYTES);
}

function begin(level: i32): usize {
  let at = put(line, '{"level":"');
  at = put(at, level == DEBUG ? "debug" : level == INFO ? "info" : level == WARN ? "warn" : "error");
  at = put(at, '","time":"');
  at = putTimestamp(at);
  return put(at, '"');
}

function write(end: usize): void {
  store<usize>(wasi.vectors, line);
  store<usize>(wasi.vectors, end - line, 4);
  wasi.fd_write(STDOUT, wasi.vectors, 1, wasi.out); // a log that nobody takes is no reason to stop
}

/** Something that the server has to say. `code`: a number that goes with it, or -1. */
export function say(level: i32, message: string, name: string, code: i32): void {
  if (level < settings.logLevel) return;
  let at = begin(level);
  if (code >= 0) {
    at = put(at, ',"');
    at = put(at, name);
    at = put(at, '":');
    at = putNumber(at, code);
  }
  at = put(at, ',"msg":"');
  at = put(at, message);
  write(put(at, '"}\n'));
}

/** What the function said, or what the server has to say about its run. UTF-8 in [start, end). */
export function sayOfRun(level: i32, start: usize, end: usize): void {
  if (level < settings.logLevel) return;
  let at = begin(level);
  at = put(at, ',"function":"');
  at = putBytes(at, settings.nameStart, settings.nameEnd - settings.nameStart);
  if (hasId()) {
    at = put(at, '","request_id":"');
    at = putBytes(at, idStart(), idBytes());
  }
  at = put(at, '","msg":"');
  at = text.putEscaped(at, start, end);
  write(put(at, '"}\n'));
}
