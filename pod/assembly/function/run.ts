import * as guest from "../guest";
import { FUNCTION_FAILED, FUNCTION_TIMEOUT, RESPONSE_TOO_LARGE } from "../server/problems";
import { beginLogOfRun, report } from "../host/run-log";
import { closeStreams, openStreams } from "../host/streams";
import { settings } from "../settings";
import { budget, startClock } from "./clock";
import { frameBytes, writeFrame } from "./frame";
import { isTooLarge, readResponse, refusal } from "./response-frame";
import { Template } from "./template";
import { runWagi } from "./wagi";

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
  if (address == 0 || !guest.has(address, <u32>length)) return FUNCTION_FAILED;
  writeFrame(guest.base() + <u32>address, template, body, bodyBytes);
  guest.mark(address, <i32>length);
  const packed = guest.handle(address, <i32>length);
  status = guest.status();
  if (status != guest.FINE) return failed(status);
  if (readResponse(<u32>(packed >> 32), <u32>packed)) return 0;
  report("The answer is not a response frame: ", refusal);
  return isTooLarge ? RESPONSE_TOO_LARGE : FUNCTION_FAILED;
}

/** A guest that did not come to its end. */
export function failed(status: i32): i32 {
  return status == guest.OUT_OF_TIME ? FUNCTION_TIMEOUT : FUNCTION_FAILED;
}
