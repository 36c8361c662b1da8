import { Template, build, rejection, remembered } from "../function/template";
import { CR, LF } from "../http/characters";
import { decode, sourceEnd, startChunks, targetEnd } from "../http/chunked";
import { head, maxHeadBytes } from "../http/head";
import { CONTENT_TOO_LARGE } from "../http/rejection";
import { scanHead } from "../http/scan";
import { grow, release } from "../memory/blocks";
import { find } from "../memory/bytes";
import { settings } from "../settings";
import {
  BODY_STATE,
  Connection,
  HEAD_STATE,
  LINGERING,
  destroy,
  dropHeld,
  dropRequest,
  startPhase,
} from "./connections";
import * as output from "./output";
import { OVERLOADED, REQUEST_TIMEOUT } from "./problem-catalogue";
import { problemOf } from "./problems";
import { askFunction, isForFunction, refuse } from "./requests";
import { finish, flushUnsent } from "./socket";
import { now } from "./time";

/**
 * An HTTP/1 connection: bytes in, requests to the function one after the other, answers out in the same order. It takes
 * and refuses what the gateway does (src/http/connection.ts, docs/reference/http.md).
 *
 * Bytes arrive in a buffer that all connections share. A request that is complete in there is handled in place. What is
 * not complete is copied: a part of a head to `held`, a head and a part of its body to `request`.
 */
const SHORT_HEAD_BYTES: usize = 1024;
const LEAST_HELD_BYTES: usize = 1024;
const LEAST_BODY_BYTES: usize = 16_384;
/** How long a closing connection still reads and drops, so that the client gets to see the answer. */
const LINGER_MS: i64 = 2000;
const GO_ON = "HTTP/1.1 100 Continue\r\n\r\n";

/** Bytes arrived: [start, start + length), which the next read will overwrite. */
export function receive(connection: Connection, start: usize, length: usize): void {
  connection.lastProgress = now;
  connection.phaseBytes += length;
  if (connection.state >= LINGERING) return;
  if (connection.heldBytes == 0) run(connection, start, start + length);
  else if (hold(connection, start, start + length) && isWorthScanning(connection, start, length)) runHeld(connection);
}

/**
 * Each scan of an incomplete head starts from its beginning. A short one is scanned at every read, a longer one only when a
 * line ended, so that a client that drips byte by byte costs no more than its packets do.
 */
function isWorthScanning(connection: Connection, start: usize, length: usize): bool {
  if (connection.heldBytes <= SHORT_HEAD_BYTES || connection.heldBytes >= maxHeadBytes) return true;
  const end = start + length;
  return find(start, end, LF) < end || find(start, end, CR) < end;
}

/** The client will send no more; it may still wait for answers. */
export function clientEnded(connection: Connection): void {
  connection.clientEnded = true;
  if (connection.finished) destroy(connection);
  else close(connection);
}

/** Everything unsent may have gone out. */
export function drained(connection: Connection): void {
  if (!flushUnsent(connection)) return;
  startPhase(connection);
  if (connection.state == LINGERING) finish(connection);
  else if (connection.heldBytes > 0) runHeld(connection);
}

function runHeld(connection: Connection): void {
  const block = connection.held;
  const bytes = connection.heldBytes;
  connection.held = 0;
  connection.heldBytes = 0;
  run(connection, block, block + bytes);
  release(block);
}

/** Takes requests from [start, end) as long as they are complete and their answers are taken; holds the rest. */
function run(connection: Connection, start: usize, end: usize): void {
  let i = start;
  while (i < end && connection.state <= BODY_STATE && connection.unsent == 0) {
    i = connection.state == HEAD_STATE ? readHead(connection, i, end) : readBody(connection, i, end);
  }
  if (i < end && connection.state <= BODY_STATE) hold(connection, i, end);
  output.flush(connection);
  if (connection.state == LINGERING) finish(connection);
}

/** Copies [start, end) behind what is held. False: there is no room, and the client was told. */
function hold(connection: Connection, start: usize, end: usize): bool {
  const needed = connection.heldBytes + (end - start);
  const block = grow(connection.held, connection.heldBytes, max(needed, LEAST_HELD_BYTES));
  if (block == 0) {
    refuseAll(connection, OVERLOADED, 0);
    return false;
  }
  memory.copy(block + connection.heldBytes, start, end - start);
  connection.held = block;
  connection.heldBytes = needed;
  return true;
}

/** Returns where the next part begins. */
function readHead(connection: Connection, start: usize, end: usize): usize {
  let template = remembered(connection.index, start, end);
  if (template == null) {
    const result = scanHead(start, end);
    if (result == 0) {
      if (!connection.headBegun) startPhase(connection);
      connection.headBegun = true;
      hold(connection, start, end);
      return end;
    }
    connection.headBegun = false;
    if (result < 0) return reject(connection, result, end);
    template = build(connection.index);
    if (template == null) return reject(connection, rejection, end);
    return beginRequest(connection, template, start, <usize>result, end);
  }
  connection.headBegun = false;
  return beginRequest(connection, template, start, start + template.headBytes, end);
}

/** The head is [start, bodyStart). */
function beginRequest(connection: Connection, template: Template, start: usize, bodyStart: usize, end: usize): usize {
  const length = max(template.contentLength, 0);
  const isPresent = !template.chunked && length <= <i64>(end - bodyStart);
  const keepAlive = template.keepAlive;
  connection.keepAlive = keepAlive && isPresent; // for an answer before the body was read
  if (!isForFunction(connection, template)) {
    afterAnswer(connection);
    return isPresent ? bodyStart + <usize>length : end;
  }
  connection.keepAlive = keepAlive;
  if (length > <i64>settings.maxRequestBody) return reject(connection, CONTENT_TOO_LARGE, end);
  if (isPresent) {
    askFunction(connection, template, bodyStart, <usize>length);
    afterAnswer(connection);
    return bodyStart + <usize>length;
  }
  return template.chunked
    ? beginChunked(connection, template, start, bodyStart, end)
    : beginLength(connection, template, start, bodyStart, end);
}

/** Content-Length, and not all of it here yet. */
function beginLength(connection: Connection, template: Template, start: usize, bodyStart: usize, end: usize): usize {
  const expected = <usize>template.contentLength;
  connection.chunks.remaining = <u64>expected - (end - bodyStart);
  if (moveRequest(connection, start, bodyStart, end, expected)) awaitBody(connection, template, end == bodyStart);
  return end;
}

function beginChunked(connection: Connection, template: Template, start: usize, bodyStart: usize, end: usize): usize {
  const chunks = connection.chunks;
  startChunks(chunks, settings.maxRequestBody);
  const result = decode(chunks, bodyStart, end, bodyStart);
  if (result < 0) return reject(connection, result, end);
  if (result > 0) {
    askFunction(connection, template, bodyStart, targetEnd - bodyStart);
    afterAnswer(connection);
    return sourceEnd;
  }
  if (moveRequest(connection, start, bodyStart, targetEnd, 0)) awaitBody(connection, template, end == bodyStart);
  return end;
}

function awaitBody(connection: Connection, template: Template, nothingYet: bool): void {
  connection.state = BODY_STATE;
  startPhase(connection);
  if (!template.expectContinue || !nothingYet) return;
  output.makeRoom(connection);
  output.appendLiteral(GO_ON);
}

/** Copies head and what there is of the body to a block of the request's own. */
function moveRequest(connection: Connection, start: usize, bodyStart: usize, bodyEnd: usize, expected: usize): bool {
  const headBytes = bodyStart - start;
  const present = bodyEnd - bodyStart;
  // What a client announces is not allocated before it arrives.
  const room = max(min(expected, max(present * 2, LEAST_BODY_BYTES)), present);
  connection.headBytes = headBytes;
  connection.bodyBytes = 0;
  if (!ensureRequest(connection, headBytes + room)) return false;
  memory.copy(connection.request, start, headBytes + present);
  connection.bodyBytes = present;
  return true;
}

function ensureRequest(connection: Connection, bytes: usize): bool {
  const block = grow(connection.request, connection.headBytes + connection.bodyBytes, bytes);
  if (block == 0) {
    refuseAll(connection, OVERLOADED, 0);
    return false;
  }
  connection.request = block;
  return true;
}

/** Returns where the next part begins. */
function readBody(connection: Connection, start: usize, end: usize): usize {
  const chunks = connection.chunks;
  const before = connection.headBytes + connection.bodyBytes;
  if (!ensureRequest(connection, before + (end - start))) return end;
  const target = connection.request + before;
  scanHead(connection.request, connection.request + connection.headBytes);
  if (head.chunked) {
    const result = decode(chunks, start, end, target);
    if (result < 0) return reject(connection, result, end);
    connection.bodyBytes += targetEnd - target;
    return result > 0 ? dispatch(connection, sourceEnd) : end;
  }
  const taken = <usize>min(chunks.remaining, <u64>(end - start));
  memory.copy(target, start, taken);
  connection.bodyBytes += taken;
  chunks.remaining -= taken;
  return chunks.remaining == 0 ? dispatch(connection, start + taken) : end;
}

/** The request of this connection's own block is complete. Returns where the next one begins. */
function dispatch(connection: Connection, next: usize): usize {
  const request = connection.request;
  const bodyStart = request + connection.headBytes;
  let template = remembered(connection.index, request, bodyStart);
  if (template == null) {
    scanHead(request, bodyStart);
    template = build(connection.index);
  }
  if (template != null) askFunction(connection, template, bodyStart, connection.bodyBytes);
  dropRequest(connection);
  connection.state = connection.state == BODY_STATE ? HEAD_STATE : connection.state;
  afterAnswer(connection);
  return next;
}

function afterAnswer(connection: Connection): void {
  if (connection.state >= LINGERING) return;
  if (!connection.keepAlive) close(connection);
  else startPhase(connection);
}

function reject(connection: Connection, why: i32, next: usize): usize {
  refuseAll(connection, problemOf(why), head.method);
  return next;
}

/** Answers, and closes: what follows cannot be trusted. */
function refuseAll(connection: Connection, problem: i32, method: i32): void {
  refuse(connection, problem, method);
  close(connection);
}

/** Sends what there is, then FIN, and drops what still arrives for a while: a reset would take the answer away. */
function close(connection: Connection): void {
  if (connection.state >= LINGERING) return;
  connection.state = LINGERING;
  dropHeld(connection);
  dropRequest(connection);
  startPhase(connection);
  output.flush(connection);
  if (connection.state == LINGERING) finish(connection);
}

/** Called a few times a second. */
export function checkTime(connection: Connection): void {
  const timeout = <i64>settings.timeoutMs;
  const state = connection.state;
  if (state != BODY_STATE && connection.unsent != 0) {
    // Slower than a byte a millisecond, averaged after the first timeout, is an attack and not a client.
    if (now - connection.unsentSince > timeout + <i64>(connection.unsentEnd - connection.unsentStart)) destroy(connection);
  } else if (state == HEAD_STATE) {
    if (now - connection.phaseStart > timeout) timeOut(connection);
  } else if (state == BODY_STATE) {
    const allowed = timeout + connection.phaseBytes;
    if (now - connection.lastProgress > timeout || now - connection.phaseStart > allowed) timeOut(connection);
  } else if (state == LINGERING && now - connection.phaseStart > LINGER_MS) destroy(connection);
}

/** An idle connection is closed without a word. */
function timeOut(connection: Connection): void {
  let method = 0;
  if (connection.state == BODY_STATE) {
    scanHead(connection.request, connection.request + connection.headBytes);
    method = head.method;
  } else if (connection.heldBytes > 0) {
    scanHead(connection.held, connection.held + connection.heldBytes);
    method = head.method;
  } else return close(connection);
  refuseAll(connection, REQUEST_TIMEOUT, method);
}
