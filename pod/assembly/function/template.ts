import { CONNECTION, EXPECT, HOP_BY_HOP, REQUEST_ID, TRANSFER_ENCODING } from "../http/fields";
import { hasField, head, line, lineOf, maxHeadBytes, maxHeaders } from "../http/head";
import { normalisePath } from "../http/path";
import { reserve } from "../memory/arena";
import { equal } from "../memory/bytes";
import { isFitId, NAME_BYTES } from "../server/request-id";
import { findAnswer } from "./answering";

/**
 * A request head ready to be put before the guest: what the server needs to know of it, then the request frame as the
 * guest ABI wants it (docs/reference/guest-abi.md), up to the body. Connections mostly send the same head again and
 * again, so the last one is remembered: the same bytes need no second scan.
 */
@unmanaged
export class Template {
  /** Length of the head that it was made from; 0: nothing remembered. */
  headBytes: u32;
  method: i32;
  minorVersion: i32;
  keepAlive: bool;
  chunked: bool;
  expectContinue: bool;
  contentLength: i64;
  /** What answers (answering.ts), and the route when the function does or the method is wrong. */
  answer: i32;
  route: usize;
  /** The client's request id within the frame; length 0: it sent none that is fit. */
  idOffset: u32;
  idBytes: u32;
  /** Where the text begins in the frame: the head as it came, its path normalised. */
  textOffset: u32;
}

const FRAME_HEAD_BYTES: u32 = 40;
const ROW_BYTES: u32 = 16;
/** A remembered template has so much room; each connection uses one of so many. */
const SLOT_BYTES: usize = 4096;
const SLOTS: u32 = 64;

let slots: usize = 0;
/** For heads that are larger than a slot. */
let large: usize = 0;

export function openTemplates(): void {
  slots = reserve(SLOT_BYTES * <usize>SLOTS);
  large = reserve(offsetof<Template>() + FRAME_HEAD_BYTES + <usize>(maxHeaders + 1) * ROW_BYTES + maxHeadBytes);
}

/** The frame begins there. */
// @ts-ignore: decorator
@inline
export function frameOf(template: Template): usize {
  return changetype<usize>(template) + offsetof<Template>();
}

/** Where the path lies, absolute. */
export function pathStart(template: Template): usize {
  return frameOf(template) + load<u32>(frameOf(template), 4);
}

export function pathEnd(template: Template): usize {
  return pathStart(template) + load<u32>(frameOf(template), 8);
}

function slotOf(connection: u32): Template {
  return changetype<Template>(slots + <usize>(connection & (SLOTS - 1)) * SLOT_BYTES);
}

/** The template of the head that [start, end) begins with, if it is the connection's last one again. */
export function remembered(connection: u32, start: usize, end: usize): Template | null {
  const template = slotOf(connection);
  const length = <usize>template.headBytes;
  if (length == 0 || end - start < length) return null;
  return equal(start, frameOf(template) + template.textOffset, length) ? template : null;
}

/** Why the last `build` gave none. */
export let rejection: i32 = 0;

/** Makes the template of the head that was scanned last. Null: its path is refused, see `rejection`. */
export function build(connection: u32): Template | null {
  const length = <u32>(head.end - head.start);
  const textOffset = FRAME_HEAD_BYTES + (visibleFields() + 1) * ROW_BYTES;
  const fits = offsetof<Template>() + textOffset + length <= SLOT_BYTES;
  const template = fits ? slotOf(connection) : changetype<Template>(large);
  template.headBytes = 0;
  template.textOffset = textOffset;
  const frame = frameOf(template);
  const text = frame + textOffset;
  memory.copy(text, head.start, length);
  const shift = text - head.start;
  const path = head.pathStart + shift;
  const isPath = load<u8>(path) != 0x2a;
  const pathEnd = isPath ? normalisePath(path, head.pathEnd + shift) : <i32>(head.pathEnd + shift);
  if (pathEnd < 0) {
    rejection = pathEnd;
    return null;
  }
  template.method = head.method;
  template.minorVersion = head.minorVersion;
  template.keepAlive = head.keepAlive;
  template.chunked = head.chunked;
  template.expectContinue = head.expectContinue;
  template.contentLength = head.contentLength;
  writeFrame(template, frame, length, <usize>pathEnd - path);
  takeRequestId(template, shift - frame);
  findAnswer(template, path, <usize>pathEnd);
  // A head is remembered by its text, so only when nothing in there was rewritten.
  const isAsItCame = <usize>pathEnd == head.pathEnd + shift && equal(head.start, text, length);
  if (fits && isAsItCame) template.headBytes = length;
  return template;
}

/** About the connection (RFC 9110 §7.6.1), or replaced by a field of ours. */
function isSkipped(kind: i32): bool {
  return kind == HOP_BY_HOP || kind == CONNECTION || kind == TRANSFER_ENCODING || kind == EXPECT || kind == REQUEST_ID;
}

function visibleFields(): u32 {
  let count: u32 = 0;
  for (let row = 0; row < head.headerCount; row++) if (!isSkipped(line(row).kind)) count++;
  return count;
}

/** All but what depends on the body: those words are written with it (frame.ts). */
function writeFrame(template: Template, frame: usize, length: u32, pathBytes: usize): void {
  const shift = <usize>template.textOffset - head.start;
  const count = (template.textOffset - FRAME_HEAD_BYTES) / ROW_BYTES;
  store<u32>(frame, 1 | (head.method << 8) | (count << 16));
  store<u32>(frame, head.pathStart + shift, 4);
  store<u32>(frame, pathBytes, 8);
  store<u32>(frame, head.queryStart + shift, 12);
  store<u32>(frame, head.queryEnd - head.queryStart, 16);
  store<u32>(frame, 0, 24);
  store<u32>(frame, template.textOffset + length, 28);
  store<u32>(frame, length, 36);
  let at = frame + FRAME_HEAD_BYTES;
  for (let row = 0; row < head.headerCount; row++) {
    const field = line(row);
    if (isSkipped(field.kind)) continue;
    store<u32>(at, field.nameStart + shift);
    store<u32>(at, field.nameEnd - field.nameStart, 4);
    store<u32>(at, field.valueStart + shift, 8);
    store<u32>(at, field.valueEnd - field.valueStart, 12);
    at += ROW_BYTES;
  }
  store<u32>(at, NAME_BYTES, 4);
}

function takeRequestId(template: Template, shift: usize): void {
  template.idBytes = 0;
  if (!hasField(REQUEST_ID)) return;
  const field = lineOf(REQUEST_ID);
  if (!isFitId(field.valueStart, field.valueEnd)) return;
  template.idOffset = <u32>(field.valueStart + shift);
  template.idBytes = <u32>(field.valueEnd - field.valueStart);
}
