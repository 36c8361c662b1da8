import { put, putBytes, putNumber } from "../memory/bytes";
import { reserve } from "../memory/arena";
import * as output from "./output";
import { OVERLOADED, UNAVAILABLE, code, detail, look, status, title } from "./problem-catalogue";
import { idBytes, idStart } from "./request-id";

/** Of a rejection of the scanners (http/rejection.ts). */
export function problemOf(rejection: i32): i32 {
  return -rejection;
}

const DOCUMENT_BYTES: usize = 1024;
let document: usize = 0;

export function openProblems(): void {
  document = reserve(DOCUMENT_BYTES);
}

/** RFC 9457 document; returns its end. `named`: with the id of the request under way. */
function writeDocument(named: bool, itsDetail: string): usize {
  let at = put(document, '{"type":"urn:problem-type:mayfly:');
  at = put(at, code);
  at = put(at, '","title":"');
  at = put(at, title);
  at = put(at, '","status":');
  at = putNumber(at, status);
  at = put(at, ',"detail":"');
  at = put(at, itsDetail);
  if (named) {
    at = put(at, '","instance":"');
    at = putBytes(at, idStart(), idBytes());
  }
  return put(at, '"}\n');
}

/** Appends the whole answer, with a further header line from `line` to `lineEnd`; returns its status. */
export function appendProblem(
  problem: i32,
  named: bool,
  line: usize,
  lineEnd: usize,
  method: i32,
  minorVersion: i32,
  keepAlive: bool,
): i32 {
  look(problem);
  const length = writeDocument(named, detail) - document;
  output.beginAnswer(status);
  output.appendLiteral("content-type: application/problem+json\r\n");
  if (lineEnd > line) output.append(line, lineEnd - line);
  if (problem == OVERLOADED || problem == UNAVAILABLE) output.appendLiteral("retry-after: 1\r\n");
  if (output.endHead(status, <u32>length, method, minorVersion, keepAlive)) output.append(document, length);
  return status;
}

/** What a connection beyond `max_connections` is told: the same, without a date, as the gateway does. */
export function putTooManyConnections(to: usize): usize {
  look(UNAVAILABLE);
  const length = writeDocument(false, "Too many connections are open.") - document;
  let at = put(to, "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: ");
  at = putNumber(at, <u32>length);
  at = put(at, "\r\nretry-after: 1\r\nconnection: close\r\n\r\n");
  return putBytes(at, document, length);
}
