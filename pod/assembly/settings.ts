import * as guest from "./guest";
import { reserve } from "./memory/arena";
import { find, is } from "./memory/bytes";
import { addRoute, openRoutes } from "./function/routes";
import * as wasi from "./wasi";

/**
 * The settings that `mayfly build` writes into the module: lines of `key=value` (src/pods/settings.ts). Times in
 * milliseconds, sizes in bytes.
 */
@unmanaged
export class Settings {
  nameStart: usize;
  nameEnd: usize;
  hostStart: usize;
  hostEnd: usize;
  port: u32;
  logLevel: i32;
  maxConnections: u32;
  maxHeadBytes: u32;
  maxHeaders: u32;
  maxTargetBytes: u32;
  timeoutMs: u32;
  requestTimeoutMs: u32;
  cpuBudgetMs: u32;
  maxRequestBody: u32;
  maxResponseBody: u32;
  /** Variables of the function. */
  variables: usize;
  variableCount: i32;
}

/** One value under `env:` of the function. */
@unmanaged
export class Variable {
  nameStart: usize;
  nameEnd: usize;
  valueStart: usize;
  valueEnd: usize;
}

export const settings: Settings = changetype<Settings>(memory.data(80, 16));

/** Environment of the process, `NAME=value` and a NUL each. */
let environment: usize = 0;
let environmentEnd: usize = 0;

export function openSettings(): void {
  const blob = guest.settings();
  const start = blob + 4;
  const end = start + load<u32>(blob);
  readEnvironment();
  settings.variables = reserve(<usize>countVariables(start, end) * offsetof<Variable>());
  for (let i = start; i < end;) {
    const lineEnd = find(i, end, 0x0a);
    const equals = find(i, lineEnd, 0x3d);
    readLine(i, equals, equals + 1, lineEnd);
    i = lineEnd + 1;
  }
  openRoutes();
  const port = variableOfProcess("PORT");
  if (port != 0) settings.port = number(port, find(port, environmentEnd, 0));
  const level = variableOfProcess("LOG_LEVEL");
  if (level != 0) settings.logLevel = logLevel(level, find(level, environmentEnd, 0));
}

/** The function's variable of that name, or null. */
export function variable(nameStart: usize, nameEnd: usize): Variable | null {
  for (let i = 0; i < settings.variableCount; i++) {
    const entry = variableAt(i);
    if (sameText(entry.nameStart, entry.nameEnd, nameStart, nameEnd)) return entry;
  }
  return null;
}

export function variableAt(index: i32): Variable {
  return changetype<Variable>(settings.variables + <usize>index * offsetof<Variable>());
}

function sameText(aStart: usize, aEnd: usize, bStart: usize, bEnd: usize): bool {
  return aEnd - aStart == bEnd - bStart && memory.compare(aStart, bStart, aEnd - aStart) == 0;
}

function countVariables(start: usize, end: usize): i32 {
  let count = 0;
  for (let i = start; i < end; i = find(i, end, 0x0a) + 1) if (isVariable(i, end)) count++;
  return count;
}

function isVariable(start: usize, end: usize): bool {
  return start + 4 <= end && is(start, start + 4, "env.");
}

function readLine(keyStart: usize, keyEnd: usize, start: usize, end: usize): void {
  if (isVariable(keyStart, keyEnd)) addVariable(keyStart + 4, keyEnd, start, end);
  else if (is(keyStart, keyEnd, "route")) addRoute(start, end);
  else if (is(keyStart, keyEnd, "log_level")) settings.logLevel = logLevel(start, end);
  else if (is(keyStart, keyEnd, "name")) {
    settings.nameStart = start;
    settings.nameEnd = end;
  } else if (is(keyStart, keyEnd, "host")) {
    settings.hostStart = start;
    settings.hostEnd = end;
  } else readNumber(keyStart, keyEnd, number(start, end));
}

function readNumber(keyStart: usize, keyEnd: usize, value: u32): void {
  if (is(keyStart, keyEnd, "port")) settings.port = value;
  else if (is(keyStart, keyEnd, "max_connections")) settings.maxConnections = value;
  else if (is(keyStart, keyEnd, "max_header_size")) settings.maxHeadBytes = value;
  else if (is(keyStart, keyEnd, "max_headers")) settings.maxHeaders = value;
  else if (is(keyStart, keyEnd, "max_target_size")) settings.maxTargetBytes = value;
  else if (is(keyStart, keyEnd, "timeout")) settings.timeoutMs = value;
  else if (is(keyStart, keyEnd, "request_timeout")) settings.requestTimeoutMs = value;
  else if (is(keyStart, keyEnd, "cpu_budget")) settings.cpuBudgetMs = value;
  else if (is(keyStart, keyEnd, "max_request_body")) settings.maxRequestBody = value;
  else if (is(keyStart, keyEnd, "max_response_body")) settings.maxResponseBody = value;
}

/** A variable of the process with the same name wins, so that a secret need not be in the image. */
function addVariable(nameStart: usize, nameEnd: usize, start: usize, end: usize): void {
  const entry = variableAt(settings.variableCount++);
  entry.nameStart = nameStart;
  entry.nameEnd = nameEnd;
  const given = valueInProcess(nameStart, nameEnd);
  entry.valueStart = given == 0 ? start : given;
  entry.valueEnd = given == 0 ? unescape(start, end) : find(given, environmentEnd, 0);
}

const BACKSLASH: u8 = 0x5c;

/** `\n` is a line feed and `\\` a backslash; in place. Returns the end. */
function unescape(start: usize, end: usize): usize {
  let out = start;
  for (let i = start; i < end; i++) {
    let byte = load<u8>(i);
    if (byte == BACKSLASH) {
      byte = load<u8>(++i);
      if (byte == 0x6e) byte = 0x0a;
    }
    store<u8>(out++, byte);
  }
  return out;
}

/** Digits; what follows them is ignored, and a number beyond 32 bits is the largest. */
function number(start: usize, end: usize): u32 {
  let value: u64 = 0;
  for (let i = start; i < end; i++) {
    const digit = load<u8>(i) - 0x30;
    if (digit > 9) break;
    value = min(value * 10 + digit, u32.MAX_VALUE);
  }
  return <u32>value;
}

export function logLevel(start: usize, end: usize): i32 {
  if (is(start, end, "debug")) return 0;
  if (is(start, end, "warn")) return 2;
  return is(start, end, "error") ? 3 : 1;
}

function readEnvironment(): void {
  if (wasi.environ_sizes_get(wasi.out, wasi.out + 4) != wasi.SUCCESS) return;
  const count = load<u32>(wasi.out);
  const size = load<u32>(wasi.out, 4);
  const table = reserve(count << 2);
  environment = reserve(size + 1);
  environmentEnd = environment + size;
  if (wasi.environ_get(table, environment) != wasi.SUCCESS) environmentEnd = environment;
}

function variableOfProcess(name: string): usize {
  for (let i = environment; i < environmentEnd; i = find(i, environmentEnd, 0) + 1) {
    const equals = find(i, environmentEnd, 0x3d);
    if (is(i, equals, name)) return equals + 1;
  }
  return 0;
}

function valueInProcess(nameStart: usize, nameEnd: usize): usize {
  for (let i = environment; i < environmentEnd; i = find(i, environmentEnd, 0) + 1) {
    const equals = find(i, environmentEnd, 0x3d);
    if (sameText(i, equals, nameStart, nameEnd)) return equals + 1;
  }
  return 0;
}
