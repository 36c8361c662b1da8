import * as guest from "../guest";
import { hexValue, lower } from "../http/characters";
import { methodName } from "../http/methods";
import { release, take } from "../memory/blocks";
import { is, put, putBytes, putNumber } from "../memory/bytes";
import { idBytes, idStart, NAME_BYTES } from "../server/request-id";
import { settings, variable, variableAt } from "../settings";
import { named } from "./response-fields";
import { Template, frameOf } from "./template";

/**
 * The environment of a CGI program (RFC 3875 §4.1), the same variables in the same order as in the gateway
 * (src/runtime/wasi/cgi-request.ts): those of the function, the header fields, those of the request. Made when the
 * program asks for it.
 */
let request: usize = 0;
let bodyBytes: u32 = 0;

/** `NAME=value` and a NUL each. */
export let environment: usize = 0;
export let environmentEnd: usize = 0;
export let environmentCount: u32 = 0;

/** A wagi's request; a handler has neither arguments nor an environment. */
export function beginProgram(template: Template, itsBodyBytes: u32): void {
  request = changetype<usize>(template);
  bodyBytes = itsBodyBytes;
}

export function endProgram(): void {
  request = 0;
  if (environment != 0) release(environment);
  environment = 0;
  environmentEnd = 0;
  environmentCount = 0;
}

/** The one argument is the function's name; 0 bytes: there is none. With its NUL, which is the settings' line feed. */
export function argumentBytes(): u32 {
  return request == 0 ? 0 : <u32>(settings.nameEnd - settings.nameStart + 1);
}

export function argumentStart(): usize {
  store<u8>(settings.nameEnd, 0);
  return settings.nameStart;
}

export function openEnvironment(): void {
  if (request == 0 || environment != 0) return;
  environment = take(largestSize());
  if (environment == 0) return guest.stop(guest.TRAPPED);
  environmentEnd = environment;
  for (let i = 0; i < settings.variableCount; i++) addOwn(i);
  for (let row: u32 = 0; row < rows(); row++) addField(row);
  for (let i = 0; i < STANDARD; i++) {
    const name = standardName(i);
    if (!isOwn(name)) addStandard(i, name);
  }
}

function template(): Template {
  return changetype<Template>(request);
}

/** More than it can become: texts may occur twice (path, query, host), names become longer. */
function largestSize(): usize {
  let size: usize = 1024 + 2 * <usize>load<u32>(frameOf(template()), 36) + 32 * rows();
  for (let i = 0; i < settings.variableCount; i++) {
    const own = variableAt(i);
    size += own.nameEnd - own.nameStart + (own.valueEnd - own.valueStart) + 2;
  }
  return size + idBytes();
}

function end(at: usize): void {
  store<u8>(at, 0);
  environmentEnd = at + 1;
  environmentCount++;
}

/** A variable of the function; where it has the name of one of the request's, that one's value. */
function addOwn(index: i32): void {
  const own = variableAt(index);
  for (let i = 0; i < STANDARD; i++) {
    const name = standardName(i);
    if (is(own.nameStart, own.nameEnd, name) && addStandard(i, name)) return;
  }
  for (let i = own.valueStart; i < own.valueEnd; i++) if (load<u8>(i) == 0) return;
  let at = putBytes(environmentEnd, own.nameStart, own.nameEnd - own.nameStart);
  store<u8>(at++, 0x3d);
  end(putBytes(at, own.valueStart, own.valueEnd - own.valueStart));
}

function isOwn(name: string): bool {
  for (let i = 0; i < settings.variableCount; i++) {
    const own = variableAt(i);
    if (is(own.nameStart, own.nameEnd, name)) return true;
  }
  return false;
}

// Header fields: rows of the frame's table, the last of which is the request id.

function rows(): u32 {
  return load<u16>(frameOf(template()), 2);
}

function rowAt(row: u32): usize {
  return frameOf(template()) + 40 + (<usize>row << 4);
}

function isId(row: u32): bool {
  return row + 1 == rows();
}

/** The request id's name is found in its header line. */
function nameStart(row: u32): usize {
  return isId(row) ? idStart() - NAME_BYTES - 2 : frameOf(template()) + load<u32>(rowAt(row));
}

function nameBytes(row: u32): usize {
  return isId(row) ? NAME_BYTES : load<u32>(rowAt(row), 4);
}

function putValue(to: usize, row: u32): usize {
  if (isId(row)) return putBytes(to, idStart(), idBytes());
  return putBytes(to, frameOf(template()) + load<u32>(rowAt(row), 8), load<u32>(rowAt(row), 12));
}

/** HTTP_NAME; fields that occur twice are joined as RFC 9110 §5.3 says. */
function addField(row: u32): void {
  const start = nameStart(row);
  const bytes = nameBytes(row);
  if (!isPassedOn(start, bytes)) return;
  for (let earlier: u32 = 0; earlier < row; earlier++) if (sameName(earlier, start, bytes)) return;
  let at = put(environmentEnd, "HTTP_");
  for (let i: usize = 0; i < bytes; i++) store<u8>(at++, variableCharacter(load<u8>(start + i)));
  if (variable(environmentEnd, at) != null) return;
  store<u8>(at++, 0x3d);
  at = putValue(at, row);
  const separator = bytes == 6 && named(start, "cookie") ? "; " : ", ";
  for (let later = row + 1; later < rows(); later++) {
    if (sameName(later, start, bytes)) at = putValue(put(at, separator), later);
  }
  end(at);
}

/**
 * Withheld are: fields with an underscore, which would let `x_user` pass for `x-user`; Proxy (CVE-2016-5385, "httpoxy");
 * Content-*, which have variables of their own.
 */
function isPassedOn(start: usize, bytes: usize): bool {
  for (let i: usize = 0; i < bytes; i++) if (load<u8>(start + i) == 0x5f) return false;
  if (bytes == 5 && named(start, "proxy")) return false;
  if (bytes == 12 && named(start, "content-type")) return false;
  return !(bytes == 14 && named(start, "content-length"));
}

function sameName(row: u32, start: usize, bytes: usize): bool {
  if (nameBytes(row) != bytes) return false;
  const other = nameStart(row);
  for (let i: usize = 0; i < bytes; i++) {
    if (lower(load<u8>(start + i)) != lower(load<u8>(other + i))) return false;
  }
  return true;
}

function variableCharacter(byte: u8): u8 {
  if (byte == 0x2d) return 0x5f;
  return <u8>(byte - 0x61) < 26 ? byte - 0x20 : byte;
}

// The meta-variables, in the gateway's order.

const STANDARD: i32 = 11;

function standardName(index: i32): string {
  switch (index) {
    case 0: return "GATEWAY_INTERFACE";
    case 1: return "SERVER_PROTOCOL";
    case 2: return "SERVER_SOFTWARE";
    case 3: return "SERVER_NAME";
    case 4: return "SERVER_PORT";
    case 5: return "REQUEST_METHOD";
    case 6: return "SCRIPT_NAME";
    case 7: return "PATH_INFO";
    case 8: return "QUERY_STRING";
    case 9: return "CONTENT_TYPE";
    default: return "CONTENT_LENGTH";
  }
}

/** False: the request has no such variable. */
function addStandard(index: i32, name: string): bool {
  const at = putStandard(index, put(put(environmentEnd, name), "="));
  if (at == 0) return false;
  end(at);
  return true;
}

/** Writes the value; 0 when the request has none. */
function putStandard(index: i32, to: usize): usize {
  const frame = frameOf(template());
  switch (index) {
    case 0: return put(to, "CGI/1.1");
    case 1: return put(to, "HTTP/1.1");
    case 2: return put(to, "mayfly");
    case 3: return putServerName(to);
    case 4: return putServerPort(to);
    case 5: return put(to, methodName(template().method));
    case 6: return to;
    case 7: return putDecoded(to, frame + load<u32>(frame, 4), load<u32>(frame, 8));
    case 8: return putBytes(to, frame + load<u32>(frame, 12), load<u32>(frame, 16));
    case 9: {
      const row = rowOf("content-type");
      return row < 0 ? 0 : putValue(to, row);
    }
    default: return bodyBytes == 0 ? 0 : putNumber(to, bodyBytes);
  }
}

function rowOf(name: string): i32 {
  for (let row: u32 = 0; row < rows(); row++) {
    if (nameBytes(row) == <usize>name.length && named(nameStart(row), name)) return row;
  }
  return -1;
}

/** Where the `:` of the port is in the Host field, or its end. */
function hostNameBytes(row: i32): usize {
  const start = frameOf(template()) + load<u32>(rowAt(row), 8);
  const bytes = load<u32>(rowAt(row), 12);
  let i = bytes;
  while (i > 0 && <u8>(load<u8>(start + i - 1) - 0x30) < 10) i--;
  return i > 0 && i < bytes && load<u8>(start + i - 1) == 0x3a ? i - 1 : bytes;
}

function putServerName(to: usize): usize {
  const row = rowOf("host");
  if (row < 0) return to;
  return putBytes(to, frameOf(template()) + load<u32>(rowAt(row), 8), hostNameBytes(row));
}

function putServerPort(to: usize): usize {
  const row = rowOf("host");
  if (row < 0) return put(to, "80");
  const nameEnd = hostNameBytes(row);
  const bytes = load<u32>(rowAt(row), 12);
  if (nameEnd == bytes) return put(to, "80");
  return putBytes(to, frameOf(template()) + load<u32>(rowAt(row), 8) + nameEnd + 1, <usize>bytes - nameEnd - 1);
}

/** Percent-decoding byte by byte, whatever the encoding of the text. The path is normalised: its escapes are whole. */
function putDecoded(to: usize, from: usize, bytes: usize): usize {
  let at = to;
  for (let i: usize = 0; i < bytes; i++) {
    let byte = load<u8>(from + i);
    if (byte == 0x25) {
      byte = <u8>((hexValue(load<u8>(from + i + 1)) << 4) | hexValue(load<u8>(from + i + 2)));
      i += 2;
    }
    store<u8>(at++, byte);
  }
  return at;
}
