import { ERROR, INFO, say } from "../log";
import { reserve } from "../memory/arena";
import { find, is } from "../memory/bytes";
import { settings } from "../settings";
import * as wasi from "../wasi";
import { openConnection } from "./connections";
import { pollListener } from "./poll";
import { putTooManyConnections } from "./problems";

/** New connections. */

const INET4: i32 = 1;
const INET6: i32 = 2;
const STREAM: i32 = 2;
const SOCKET_LEVEL: i32 = 0;
const REUSE_ADDRESS: i32 = 0;
const NON_BLOCKING: i32 = 4;
const BACKLOG: i32 = 4096;
/** Accepted in one go, so that a flood of connections does not starve those that are there. */
const BATCH: i32 = 64;
/** Exit codes: sysexits.h has EX_CONFIG and EX_UNAVAILABLE. */
const BAD_SETTINGS: i32 = 78;
const UNAVAILABLE: i32 = 69;

let listener: i32 = 0;
let refusal: usize = 0;
let refusalEnd: usize = 0;

/** Opens the port, or ends the process with a line that says why. */
export function listen(): void {
  refusal = reserve(1024);
  refusalEnd = putTooManyConnections(refusal);
  const address = reserve(32);
  const bytes = readAddress(address + 8);
  if (bytes == 0) fail("The host is not an IPv4 address or ::", "port", settings.port, BAD_SETTINGS);
  if (settings.port == 0 || settings.port > 65535) fail("PORT is not 1 to 65535", "port", settings.port, BAD_SETTINGS);
  store<usize>(address, address + 8);
  store<u32>(address, bytes, 4);
  let error = wasi.sock_open(bytes == 4 ? INET4 : INET6, STREAM, wasi.out);
  if (error != wasi.SUCCESS) fail("There are no sockets here", "errno", error, UNAVAILABLE);
  listener = load<i32>(wasi.out);
  store<i32>(wasi.out, 1);
  wasi.sock_setsockopt(listener, SOCKET_LEVEL, REUSE_ADDRESS, wasi.out, 4);
  error = wasi.sock_bind(listener, address, settings.port);
  if (error == wasi.SUCCESS) error = wasi.sock_listen(listener, BACKLOG);
  if (error == wasi.SUCCESS) error = wasi.fd_fdstat_set_flags(listener, NON_BLOCKING);
  if (error != wasi.SUCCESS) fail("Cannot listen on the port", "errno", error, UNAVAILABLE);
  pollListener(listener);
  say(INFO, "listening", "port", settings.port);
}

function fail(message: string, name: string, value: i32, code: i32): void {
  say(ERROR, message, name, value);
  wasi.proc_exit(code);
}

/** `0.0.0.0`, another IPv4 address, or `::`; returns its length, or 0. */
function readAddress(to: usize): u32 {
  if (is(settings.hostStart, settings.hostEnd, "::")) return 16;
  let i = settings.hostStart;
  for (let part = 0; part < 4; part++) {
    const end = find(i, settings.hostEnd, 0x2e);
    let value = 0;
    if (end == i || end - i > 3 || (end == settings.hostEnd) != (part == 3)) return 0;
    for (; i < end; i++) {
      const digit = load<u8>(i) - 0x30;
      if (digit > 9) return 0;
      value = value * 10 + digit;
    }
    if (value > 255) return 0;
    store<u8>(to + part, value);
    i++;
  }
  return 4;
}

/** Takes the connections that wait. False: the process has no descriptors left for more. */
export function accept(): bool {
  for (let i = 0; i < BATCH; i++) {
    const error = wasi.sock_accept(listener, wasi.out);
    if (error == wasi.AGAIN) return true;
    if (error != wasi.SUCCESS) return false;
    const socket = load<i32>(wasi.out);
    wasi.fd_fdstat_set_flags(socket, NON_BLOCKING);
    if (openConnection(socket) == null) turnAway(socket);
  }
  return true;
}

/** One connection too many: an answer, and the door. */
function turnAway(socket: i32): void {
  store<usize>(wasi.vectors, refusal);
  store<usize>(wasi.vectors, refusalEnd - refusal, 4);
  wasi.sock_send(socket, wasi.vectors, 1, 0, wasi.out);
  wasi.fd_close(socket);
}
