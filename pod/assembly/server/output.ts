import { HEAD } from "../http/methods";
import { putStatusLine } from "../http/status-line";
import { reserve } from "../memory/arena";
import { put, putBytes, putNumber } from "../memory/bytes";
import { CLOSED, Connection } from "./connections";
import { send } from "./socket";
import { DATE_LINE_BYTES, dateLine } from "./time";

/**
 * Where answers are put together before they are sent: those to a batch of pipelined requests of one connection, one
 * behind the other. After `makeRoom` an answer's head fits, and a body of COPIED_BODY_BYTES.
 */
const CAPACITY: usize = 131_072;
/** Larger bodies are not copied behind their head but sent from where they are. */
const COPIED_BODY_BYTES: usize = 32_768;
/** The head of any answer: status line, 32 KiB of the guest's fields, ours. */
const MAX_HEAD_BYTES: usize = 40_960;

let buffer: usize = 0;
/** How much of the buffer is in use. */
let length: usize = 0;

export function openOutput(): void {
  buffer = reserve(CAPACITY);
}

export function makeRoom(connection: Connection): void {
  if (length + MAX_HEAD_BYTES + COPIED_BODY_BYTES > CAPACITY) flush(connection);
}

/** Sends what was put together. */
export function flush(connection: Connection): void {
  const bytes = length;
  length = 0;
  if (bytes > 0 && connection.state != CLOSED) send(connection, buffer, bytes, 0, 0);
}

/** The body of the answer whose head was ended last. */
export function appendBody(connection: Connection, body: usize, bytes: u32): void {
  if (<usize>bytes <= COPIED_BODY_BYTES) {
    append(body, bytes);
    return;
  }
  const headBytes = length;
  length = 0;
  if (connection.state != CLOSED) send(connection, buffer, headBytes, body, bytes);
}

/** Behind what was put so far. */
// @ts-ignore: decorator
@inline
export function end(): usize {
  return buffer + length;
}

/** Everything up to `at` is in. */
// @ts-ignore: decorator
@inline
export function setEnd(at: usize): void {
  length = at - buffer;
}

export function append(from: usize, count: usize): void {
  setEnd(putBytes(end(), from, count));
}

export function appendLiteral(literal: string): void {
  setEnd(put(end(), literal));
}

export function beginAnswer(status: i32): void {
  setEnd(putStatusLine(end(), status));
}

/** Whether an answer of this status ends with its head. */
export function isBodiless(status: i32): bool {
  return status == 204 || status == 304;
}

/** Completes the head: length, date, connection. Returns whether the body is to follow. */
export function endHead(status: i32, bodyLength: u32, method: i32, minorVersion: i32, keepAlive: bool): bool {
  let at = end();
  const bodiless = isBodiless(status);
  if (!bodiless) {
    at = putBytes(at, contentLength, CONTENT_LENGTH_BYTES);
    at = putNumber(at, bodyLength);
    store<u16>(at, 0x0a0d);
    at += 2;
  }
  at = putBytes(at, dateLine, DATE_LINE_BYTES);
  if (!keepAlive) at = put(at, "connection: close\r\n");
  else if (minorVersion == 0) at = put(at, "connection: keep-alive\r\n");
  store<u16>(at, 0x0a0d);
  setEnd(at + 2);
  return !bodiless && method != HEAD;
}

/** `content-length: ` */
const contentLength: usize = memory.data<u8>([
  0x63, 0x6f, 0x6e, 0x74, 0x65, 0x6e, 0x74, 0x2d, 0x6c, 0x65, 0x6e, 0x67, 0x74, 0x68, 0x3a, 0x20,
]);
const CONTENT_LENGTH_BYTES: usize = 16;
