/**
 * An HTTP server around one function, for WasmEdge 0.14.1: it is linked with the function into one module
 * (src/pods/link) and does for it what the gateway does, as far as one process can (docs/reference/pods.md).
 *
 *   server/    loop, connections, requests: sockets in, answers out
 *   http/      the scanner and the framing, with the verdicts of src/http
 *   function/  request frame → guest → response frame; CGI for wagi
 *   host/      what the guest may import
 *   memory/    where all of it lies: one arena, nothing is ever asked of the system
 */
import { budget, startClock } from "./function/clock";
import { reason } from "./function/run";
import { openTemplates } from "./function/template";
import { openResponses } from "./function/response-frame";
import * as guest from "./guest";
import { openCapabilities } from "./host/mayfly";
import { openRandom } from "./host/random";
import { openRunLog, report } from "./host/run-log";
import { openStreamBuffers } from "./host/streams";
import { openCharacters } from "./http/characters";
import { openHead } from "./http/head";
import { openLog } from "./log";
import { openArena } from "./memory/arena";
import { openBlocks } from "./memory/blocks";
import { openConnections } from "./server/connections";
import { listen } from "./server/listener";
import { SWEEP_MS, openLoop, serve } from "./server/loop";
import { openOutput } from "./server/output";
import { openPoll } from "./server/poll";
import { openProblems } from "./server/problems";
import { openRequestIds } from "./server/request-id";
import { openRequests } from "./server/requests";
import { openSettings, settings } from "./settings";
import * as wasi from "./wasi";

export * from "./host/mayfly";
export * from "./host/wasi";
export * from "./host/poll";
export * from "./host/unsupported";
export { clock } from "./function/clock";

/** EX_SOFTWARE of sysexits.h. */
const CANNOT_START: i32 = 70;

export function _start(): void {
  openArena();
  openCharacters();
  openSettings();
  openHead(settings.maxHeadBytes, settings.maxHeaders, settings.maxTargetBytes);
  openLog();
  openRandom();
  openRequestIds();
  openProblems();
  openRequests();
  openTemplates();
  openResponses();
  openCapabilities();
  openRunLog();
  openStreamBuffers();
  openOutput();
  openLoop();
  openConnections(settings.maxConnections);
  openPoll(settings.maxConnections, SWEEP_MS);
  startGuest();
  listen();
  openBlocks();
  serve();
}

function startGuest(): void {
  startClock(settings.requestTimeoutMs);
  guest.arm(budget());
  const status = guest.initialize();
  if (status == guest.FINE) return;
  report("The function could not be initialised: ", reason(status));
  wasi.proc_exit(CANNOT_START);
}
