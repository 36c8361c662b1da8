import * as guest from "../guest";
import * as answer from "../function/answer";
import { ALLOWED_METHODS, FUNCTION, HEALTH, NO_ROUTE } from "../function/answering";
import { Route } from "../function/routes";
import { runFunction } from "../function/run";
import { Template, frameOf } from "../function/template";
import { releaseOutput } from "../host/streams";
import { GET, HEAD } from "../http/methods";
import { reserve } from "../memory/arena";
import { put } from "../memory/bytes";
import { Connection } from "./connections";
import * as output from "./output";
import { METHOD_NOT_ALLOWED, NOT_FOUND } from "./problem-catalogue";
import { appendProblem } from "./problems";
import { lineBytes, lineStart, makeId, takeId } from "./request-id";
import { readNow } from "./time";

/** What a request is answered with: the gateway's stages (src/gateway/stages), as far as a pod has them. */

let allowHealth: usize = 0;
let allowHealthEnd: usize = 0;

export function openRequests(): void {
  allowHealth = reserve(32);
  allowHealthEnd = put(allowHealth, "allow: GET, HEAD\r\n");
}

/** The head is here. True when the function is to be asked; else the answer is put together here. */
export function isForFunction(connection: Connection, template: Template): bool {
  if (template.answer == FUNCTION) return true;
  output.makeRoom(connection);
  if (template.answer == HEALTH) answerHealth(connection, template);
  else if (template.answer == ALLOWED_METHODS) answerOptions(connection, template);
  else {
    nameRequest(template);
    const route = changetype<Route>(template.route);
    if (template.answer == NO_ROUTE) tell(connection, template, NOT_FOUND, true, 0, 0);
    else tell(connection, template, METHOD_NOT_ALLOWED, true, route.allowStart, route.allowEnd);
  }
  return false;
}

/** The whole request is here. */
export function askFunction(connection: Connection, template: Template, body: usize, bodyBytes: usize): void {
  output.makeRoom(connection);
  nameRequest(template);
  const problem = runFunction(template, body, bodyBytes);
  readNow(); // it may have taken a while, which is nobody's idle time
  if (problem == 0) passOn(connection, template);
  else tell(connection, template, problem, true, 0, 0);
  releaseOutput();
  guest.restore();
}

/** The client's own id where it is well-formed, else a new one. */
function nameRequest(template: Template): void {
  if (template.idBytes > 0) takeId(frameOf(template) + template.idOffset, template.idBytes);
  else makeId();
}

/** The function's answer. */
function passOn(connection: Connection, template: Template): void {
  output.append(answer.head, answer.headBytes);
  output.append(lineStart, lineBytes);
  const bytes = answer.bodyBytes;
  if (endHead(connection, template, answer.status, bytes)) output.appendBody(connection, answer.body, bytes);
}

function endHead(connection: Connection, template: Template, status: i32, bodyBytes: u32): bool {
  return output.endHead(status, bodyBytes, template.method, template.minorVersion, connection.keepAlive);
}

function tell(connection: Connection, template: Template, problem: i32, named: bool, line: usize, lineEnd: usize): void {
  appendProblem(problem, named, line, lineEnd, template.method, template.minorVersion, connection.keepAlive);
}

/** `/health` and `/ready`, as the gateway answers them (src/gateway/health.ts): a process that answers also takes new work. */
function answerHealth(connection: Connection, template: Template): void {
  if (template.method != GET && template.method != HEAD) {
    tell(connection, template, METHOD_NOT_ALLOWED, false, allowHealth, allowHealthEnd);
    return;
  }
  const body = '{"status":"ok"}\n';
  output.beginAnswer(200);
  output.appendLiteral("content-type: application/json\r\ncache-control: no-store\r\n");
  if (endHead(connection, template, 200, body.length)) output.appendLiteral(body);
}

function answerOptions(connection: Connection, template: Template): void {
  const route = changetype<Route>(template.route);
  output.beginAnswer(204);
  output.append(route.allowStart, route.allowEnd - route.allowStart);
  endHead(connection, template, 204, 0);
}

/** Refused before the function heard of it: what follows on the connection cannot be trusted. */
export function refuse(connection: Connection, problem: i32, method: i32): void {
  output.makeRoom(connection);
  appendProblem(problem, false, 0, 0, method, 1, false);
}
