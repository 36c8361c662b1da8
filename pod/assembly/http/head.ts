import { reserve } from "../memory/arena";
import { FIELD_KINDS } from "./fields";

/** A request head as addresses of the bytes it was read from. There is one, filled by one scan after the other. */
@unmanaged
export class RequestHead {
  /** The head reaches from here to `end`, its empty line included. */
  start: usize;
  end: usize;
  /** A number from methods.ts. */
  method: i32;
  /** HTTP/1.x. */
  minorVersion: i32;
  /** Path without query; for the asterisk-form just `*`. */
  pathStart: usize;
  pathEnd: usize;
  /** Query without its `?`; start = end when there is none. */
  queryStart: usize;
  queryEnd: usize;
  /** Name of the host in force, without port; empty for an HTTP/1.0 request without one. */
  hostStart: usize;
  hostEnd: usize;
  headerCount: i32;
  chunked: bool;
  /** The client waits for `100 Continue` before it sends the body. */
  expectContinue: bool;
  /** Whether the connection may be used again, as far as the client is concerned. */
  keepAlive: bool;
  /** -1: no Content-Length. */
  contentLength: i64;
  /** Which fields of fields.ts there are, a bit each. */
  present: u32;
}

/** One field line: where name and value start and end, and which it is. */
@unmanaged
export class FieldLine {
  nameStart: usize;
  nameEnd: usize;
  valueStart: usize;
  valueEnd: usize;
  kind: i32;
}

export const head: RequestHead = changetype<RequestHead>(memory.data(96, 16));

/** What a head may measure. */
export let maxHeadBytes: usize = 0;
export let maxHeaders: i32 = 0;
export let maxTargetBytes: usize = 0;

let lines: usize = 0;
/** For each field of fields.ts that is present, its row. */
const rows: usize = memory.data(48, 4);

export function openHead(headBytes: usize, headers: i32, targetBytes: usize): void {
  maxHeadBytes = headBytes;
  maxHeaders = headers;
  maxTargetBytes = targetBytes;
  lines = reserve(<usize>headers * offsetof<FieldLine>());
}

/** Makes it empty. */
export function resetHead(start: usize): void {
  head.start = start;
  head.method = 0;
  head.minorVersion = 1;
  head.hostStart = 0;
  head.hostEnd = 0;
  head.headerCount = 0;
  head.chunked = false;
  head.expectContinue = false;
  head.contentLength = -1;
  head.present = 0;
}

// @ts-ignore: decorator
@inline
export function line(row: i32): FieldLine {
  return changetype<FieldLine>(lines + <usize>row * offsetof<FieldLine>());
}

// @ts-ignore: decorator
@inline
export function hasField(kind: i32): bool {
  return (head.present & (1 << kind)) != 0;
}

/** The line of a field that is present; of repeated ones the last. */
export function lineOf(kind: i32): FieldLine {
  return line(load<i32>(rows + (kind << 2)));
}

export function addLine(kind: i32, nameStart: usize, nameEnd: usize, valueStart: usize, valueEnd: usize): void {
  const row = head.headerCount++;
  const added = line(row);
  added.nameStart = nameStart;
  added.nameEnd = nameEnd;
  added.valueStart = valueStart;
  added.valueEnd = valueEnd;
  added.kind = kind;
  assert(kind < FIELD_KINDS);
  store<i32>(rows + (kind << 2), row);
  head.present |= 1 << kind;
}
