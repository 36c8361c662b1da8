import * as guest from "../guest";
import { FUNCTION_FAILED, FUNCTION_TIMEOUT, RESPONSE_TOO_LARGE } from "../server/problem-catalogue";
import { beginLogOfRun, report } from "../host/run-log";
import { closeStreams, openStreams } from "../host/streams";
import { settings } from "../settings";
import { budget, isLate, startClock } from "./clock";
import { frameBytes, writeFrame } from "./frame";
import { isTooLarge, readResponse, refusal } from "./response-frame";
import { Template } from "./template";
import { runWagi } from "./wagi";

const PAGE_BYTES: u32 = 65_536;

/**
 * Runs the function on a request whose body is at `body`. Returns 0 when it answered (answer.ts), or the problem that the
 * client is told. The caller restores the guest afterwards.
 */
export function runFunction(template: Template, body: usize, bodyBytes: usize): i32 {
  beginLogOfRun();
  startClock(settings.requestTimeoutMs);
  guest.arm(budget());
  if (guest.kind() == guest.WAGI) return runWagi(template, body, bodyBytes);
  openStreams(0, 0);
  const problem = runHandler(template, body, bodyBytes);
  closeStreams();
  return problem;
}

function runHandler(template: Template, body: usize, bodyBytes: usize): i32 {
  const length = frameBytes(template, bodyBytes);
  const address = guest.alloc(<i32>length);
  let status = guest.status();
  if (status != guest.FINE) return failed(status);
  if (address == 0 || !guest.has(address, <u32>length)) {
    report("The function has no room for the request: alloc gives ", address == 0 ? "0" : "what is outside its memory");
    return FUNCTION_FAILED;
  }
  writeFrame(guest.base() + <u32>address, template, body, bodyBytes);
  guest.mark(address, <i32>length);
  const packed = guest.handle(address, <i32>length);
  status = guest.status();
  if (status != guest.FINE) return failed(status);
  if (readResponse(<u32>(packed >> 32), <u32>packed)) return 0;
  report("The answer is not a response frame: ", refusal);
  return isTooLarge ? RESPONSE_TOO_LARGE : FUNCTION_FAILED;
}

/** A guest that did not come to its end: says why in the log, and returns what the client is told. */
export function failed(status: i32): i32 {
  report("The function did not finish: ", reason(status));
  return status == guest.OUT_OF_TIME ? FUNCTION_TIMEOUT : FUNCTION_FAILED;
}

export function reason(status: i32): string {
  if (status == guest.OUT_OF_TIME) {
    return isLate ? "its time is used up (request_timeout)" : "its CPU time is used up (cpu_limit, cpu_budget)";
  }
  if (status == guest.EXITED) return "it ended the process";
  if (guest.stack() < 0) return "it trapped, its calls being nested too deep";
  return guest.size() + PAGE_BYTES > guest.limit() ? "it ran out of memory (memory_limit)" : "it trapped";
}
