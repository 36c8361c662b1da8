import * as guest from "../guest";
import { FUNCTION_FAILED, RESPONSE_TOO_LARGE } from "../server/problem-catalogue";
import { report } from "../host/run-log";
import {
  closeStreams,
  collectOutput,
  openStreams,
  output,
  outputBytes,
  overflowed,
} from "../host/streams";
import { settings } from "../settings";
import { bodyBytes as answeredBytes } from "./answer";
import { readCgiResponse } from "./cgi-response";
import { beginProgram, endProgram } from "./environment";
import { MAX_FIELD_BYTES } from "./response-frame";
import { failed } from "./run";
import { Template } from "./template";

/** Runs a WASI command that speaks CGI/1.1. Returns 0 when it answered, or the problem that the client is told. */
export function runWagi(template: Template, body: usize, bodyBytes: usize): i32 {
  beginProgram(template, <u32>bodyBytes);
  openStreams(body, body + bodyBytes);
  collectOutput(<usize>settings.maxResponseBody + MAX_FIELD_BYTES);
  guest.start();
  closeStreams();
  endProgram();
  const status = guest.status();
  // CGI has no way to say "failed" but its output, so the exit code does not matter when there is some.
  if (status != guest.FINE && status != guest.EXITED) return failed(status);
  if (overflowed) return tooLarge();
  if (!readCgiResponse(output, outputBytes)) {
    report("The answer is not a CGI response", outputBytes == 0 ? ": there is none" : "");
    return FUNCTION_FAILED;
  }
  return answeredBytes > settings.maxResponseBody ? tooLarge() : 0;
}

function tooLarge(): i32 {
  report("The answer is larger than it may be", " (max_response_body)");
  return RESPONSE_TOO_LARGE;
}
