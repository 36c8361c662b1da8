import { put, putBytes, putNumber } from "../memory/bytes";
import { reserve } from "../memory/arena";
import * as output from "./output";
import { idBytes, idStart } from "./request-id";

/** What a client can be told instead of an answer: the gateway's catalogue (src/model/problems.ts), as far as a pod meets it. */
export const BAD_REQUEST: i32 = 1;
export const INVALID_PATH: i32 = 2;
export const URI_TOO_LONG: i32 = 3;
export const HEADERS_TOO_LARGE: i32 = 4;
export const CONTENT_TOO_LARGE: i32 = 5;
export const EXPECTATION_FAILED: i32 = 6;
export const METHOD_NOT_IMPLEMENTED: i32 = 7;
export const TRANSFER_CODING_NOT_IMPLEMENTED: i32 = 8;
export const VERSION_NOT_SUPPORTED: i32 = 9;
export const NOT_FOUND: i32 = 10;
export const METHOD_NOT_ALLOWED: i32 = 11;
export const REQUEST_TIMEOUT: i32 = 12;
export const FUNCTION_FAILED: i32 = 13;
export const FUNCTION_TIMEOUT: i32 = 14;
export const RESPONSE_TOO_LARGE: i32 = 15;
export const OVERLOADED: i32 = 16;
export const UNAVAILABLE: i32 = 17;

/** Of a rejection of the scanners (http/rejection.ts). */
export function problemOf(rejection: i32): i32 {
  return -rejection;
}

let status: i32 = 0;
let code: string = "";
let title: string = "";
let detail: string = "";

function is(itsStatus: i32, itsCode: string, itsTitle: string, itsDetail: string): void {
  status = itsStatus;
  code = itsCode;
  title = itsTitle;
  detail = itsDetail;
}

function look(problem: i32): void {
  switch (problem) {
    case BAD_REQUEST:
      return is(400, "bad-request", "Bad request",
        "The request is not well-formed HTTP/1.1 (RFC 9112). The connection is closed because its framing cannot be trusted.");
    case INVALID_PATH:
      return is(400, "invalid-path", "Invalid path",
        "The path has a broken percent-encoding, an encoded slash or NUL, or climbs above the root.");
    case URI_TOO_LONG:
      return is(414, "uri-too-long", "URI too long", "The request target is longer than the gateway accepts.");
    case HEADERS_TOO_LARGE:
      return is(431, "headers-too-large", "Request header fields too large",
        "The request has too many or too large header fields.");
    case CONTENT_TOO_LARGE:
      return is(413, "content-too-large", "Content too large",
        "The body is larger than the function accepts (max_request_body).");
    case EXPECTATION_FAILED:
      return is(417, "expectation-failed", "Expectation failed", "Only Expect: 100-continue is understood.");
    case METHOD_NOT_IMPLEMENTED:
      return is(501, "method-not-implemented", "Method not implemented", "The gateway does not know this method.");
    case TRANSFER_CODING_NOT_IMPLEMENTED:
      return is(501, "transfer-coding-not-implemented", "Transfer coding not implemented",
        "Only Transfer-Encoding: chunked is understood.");
    case VERSION_NOT_SUPPORTED:
      return is(505, "http-version-not-supported", "HTTP version not supported",
        "The gateway speaks HTTP/1.1 and HTTP/1.0, and HTTP/2 on its TLS listener.");
    case NOT_FOUND:
      return is(404, "not-found", "No such route", "No function is routed at this host and path.");
    case METHOD_NOT_ALLOWED:
      return is(405, "method-not-allowed", "Method not allowed",
        "The path exists, but not for this method. The Allow header lists the methods it has.");
    case REQUEST_TIMEOUT:
      return is(408, "request-timeout", "Request timeout",
        "The request did not arrive completely in time (server.timeout).");
    case FUNCTION_FAILED:
      return is(500, "function-failed", "The function failed",
        "The function trapped, ran out of memory, or answered with a malformed response. Its state was thrown away.");
    case FUNCTION_TIMEOUT:
      return is(504, "function-timeout", "The function took too long",
        "The function used up its CPU budget (cpu_limit, cpu_budget) or its wall-clock time (request_timeout).");
    case RESPONSE_TOO_LARGE:
      return is(502, "response-too-large", "Response too large",
        "The function answered with more than its limit (max_response_body).");
    case OVERLOADED:
      return is(503, "overloaded", "Overloaded",
        "All instances are busy and the queue is full, or the request waited too long in it. Retry-After says when to come back.");
    default:
      return is(503, "unavailable", "Unavailable",
        "The gateway is draining, or something that the request needs (a key set, a policy server) is not reachable.");
  }
}

const DOCUMENT_BYTES: usize = 1024;
let document: usize = 0;

export function openProblems(): void {
  document = reserve(DOCUMENT_BYTES);
}

/** RFC 9457 document; returns its end. `named`: with the id of the request under way. */
function writeDocument(named: bool): usize {
  let at = put(document, '{"type":"urn:problem-type:mayfly:');
  at = put(at, code);
  at = put(at, '","title":"');
  at = put(at, title);
  at = put(at, '","status":');
  at = putNumber(at, status);
  at = put(at, ',"detail":"');
  at = put(at, detail);
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
  const length = writeDocument(named) - document;
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
  detail = "Too many connections are open.";
  const length = writeDocument(false) - document;
  let at = put(to, "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: ");
  at = putNumber(at, <u32>length);
  at = put(at, "\r\nretry-after: 1\r\nconnection: close\r\n\r\n");
  return putBytes(at, document, length);
}
