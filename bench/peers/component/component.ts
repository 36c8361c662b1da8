// The shop's function as a component for wasi:http/incoming-handler, written against the canonical ABI by hand:
// the body is read into a request frame of Mayfly's guest ABI, and the same `handle` as everywhere answers it.
import { Request } from "mayfly";
import { handle as placeOrder } from "./function";

@external("wasi:http/types@0.2.4", "[method]incoming-request.consume") declare function consume(request: i32, result: usize): void;
@external("wasi:http/types@0.2.4", "[method]incoming-body.stream") declare function stream(body: i32, result: usize): void;
@external("wasi:io/streams@0.2.4", "[method]input-stream.blocking-read") declare function read(stream: i32, length: u64, result: usize): void;
@external("wasi:io/streams@0.2.4", "[resource-drop]input-stream") declare function dropInput(stream: i32): void;
@external("wasi:http/types@0.2.4", "[resource-drop]incoming-body") declare function dropBody(body: i32): void;
@external("wasi:http/types@0.2.4", "[resource-drop]incoming-request") declare function dropRequest(request: i32): void;
@external("wasi:http/types@0.2.4", "[constructor]fields") declare function fields(): i32;
@external("wasi:http/types@0.2.4", "[method]fields.append") declare function append(fields: i32, name: usize, nameLength: i32, value: usize, valueLength: i32, result: usize): void;
@external("wasi:http/types@0.2.4", "[constructor]outgoing-response") declare function newResponse(fields: i32): i32;
@external("wasi:http/types@0.2.4", "[method]outgoing-response.body") declare function bodyOf(response: i32, result: usize): void;
@external("wasi:http/types@0.2.4", "[static]response-outparam.set") declare function respond(out: i32, isError: i32, response: i32, a: i32, b: i64, c: i32, d: i32, e: i32, f: i32): void;
@external("wasi:http/types@0.2.4", "[method]outgoing-body.write") declare function outputOf(body: i32, result: usize): void;
@external("wasi:io/streams@0.2.4", "[method]output-stream.blocking-write-and-flush") declare function write(stream: i32, start: usize, length: i32, result: usize): void;
@external("wasi:io/streams@0.2.4", "[resource-drop]output-stream") declare function dropOutput(stream: i32): void;
@external("wasi:http/types@0.2.4", "[static]outgoing-body.finish") declare function finish(body: i32, hasTrailers: i32, trailers: i32, result: usize): void;

const RESULT = memory.data(64, 8);
const TYPE_NAME = memory.data<u8>([99, 111, 110, 116, 101, 110, 116, 45, 116, 121, 112, 101]); // content-type
const TYPE = memory.data<u8>([97, 112, 112, 108, 105, 99, 97, 116, 105, 111, 110, 47, 106, 115, 111, 110]); // application/json
const LENGTH_NAME = memory.data<u8>([99, 111, 110, 116, 101, 110, 116, 45, 108, 101, 110, 103, 116, 104]); // content-length
const PATH = memory.data<u8>([47, 97, 112, 105, 47, 102, 117, 110, 99, 116, 105, 111, 110]); // /api/function
const PATH_LENGTH = 13;
const HEAD = 40;
const BODY_AT = HEAD + PATH_LENGTH;
const FRAME = memory.data(65536, 8);
const ARENA = memory.data(131072, 8);
const DIGITS = memory.data(16);

let used: usize = 0;

/** Lists from the host: an arena that is emptied before each read. */
export function cabi_realloc(old: usize, oldLength: usize, align: usize, length: usize): usize {
  const start = (ARENA + used + align - 1) & ~(align - 1);
  used = start + length - ARENA;
  if (used > 131072) unreachable();
  return start;
}

export function serve(request: i32, out: i32): void {
  const frame = placeOrder(new Request(readFrame(request))).toFrame();
  // A response frame: see docs/reference/guest-abi.md.
  const answer = <usize>(frame >> 32);
  const body = answer + 16 + load<u32>(answer + 8);
  send(out, body, load<i32>(answer + 12));
}

function readFrame(request: i32): usize {
  consume(request, RESULT);
  const body = load<i32>(RESULT + 4);
  stream(body, RESULT);
  const input = load<i32>(RESULT + 4);
  let length: i32 = 0;
  while (true) {
    used = 0;
    read(input, 65536, RESULT);
    if (load<u8>(RESULT) != 0) break; // closed: the whole body is here
    const count = load<i32>(RESULT + 8);
    if (BODY_AT + length + count > 65536) unreachable();
    memory.copy(FRAME + BODY_AT + length, load<usize>(RESULT + 4), count);
    length += count;
  }
  dropInput(input);
  dropBody(body);
  dropRequest(request);
  memory.copy(FRAME + HEAD, PATH, PATH_LENGTH);
  store<u8>(FRAME, 1); // version
  store<u8>(FRAME + 1, 2); // POST
  store<u16>(FRAME + 2, 0); // no header fields
  store<u32>(FRAME + 4, HEAD);
  store<u32>(FRAME + 8, PATH_LENGTH);
  store<u32>(FRAME + 28, BODY_AT);
  store<u32>(FRAME + 32, length);
  store<u32>(FRAME + 36, PATH_LENGTH);
  return FRAME;
}

function send(out: i32, start: usize, length: i32): void {
  const headers = fields();
  append(headers, TYPE_NAME, 12, TYPE, 16, RESULT);
  let at = DIGITS + 16;
  let rest = length;
  do {
    store<u8>(--at, <u8>(48 + (rest % 10)));
    rest /= 10;
  } while (rest > 0);
  append(headers, LENGTH_NAME, 14, at, <i32>(DIGITS + 16 - at), RESULT);
  const response = newResponse(headers);
  bodyOf(response, RESULT);
  const body = load<i32>(RESULT + 4);
  respond(out, 0, response, 0, 0, 0, 0, 0, 0);
  outputOf(body, RESULT);
  const output = load<i32>(RESULT + 4);
  write(output, start, length, RESULT);
  dropOutput(output);
  finish(body, 0, 0, RESULT);
}
