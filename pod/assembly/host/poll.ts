import * as guest from "../guest";
import { at, clear, put32 } from "./memory";
import { STDIN, inputEnd, inputStart } from "./streams";
import { BADF, FAULT, INVAL, NOTSUP, SUCCESS, clockTime, isClock, isStandard } from "./wasi";

/** Subscriptions in one call; a function has three streams and two clocks to wait for. */
const MAX_SUBSCRIPTIONS: u32 = 256;
const SUBSCRIPTION_BYTES: u32 = 48;
const EVENT_BYTES: u32 = 32;
const CLOCK: u8 = 0;
const ABSOLUTE: u16 = 1;
/** What may be written to a stream at once, as far as a program needs to know. */
const WRITABLE_BYTES: u64 = 65_536;

/**
 * `poll_oneoff` where nothing ever has to be waited for: the standard streams are always ready, a clock is when its time
 * has come. With nothing ready the call fails (ENOTSUP): a function that sleeps would block everybody.
 */
export function wasi_snapshot_preview1$poll_oneoff(subscriptions: i32, events: i32, count: i32, out: i32): i32 {
  if (count == 0 || <u32>count > MAX_SUBSCRIPTIONS) return INVAL;
  let ready: u32 = 0;
  for (let index: u32 = 0; index < <u32>count; index++) {
    const subscription = <u32>subscriptions + index * SUBSCRIPTION_BYTES;
    if (!guest.has(subscription, SUBSCRIPTION_BYTES)) return FAULT;
    const from = at(subscription);
    const type = load<u8>(from, 8);
    const subject = load<i32>(from, 16);
    const userdata = load<u64>(from);
    let error = SUCCESS;
    if (type == CLOCK) {
      if (!isClock(subject)) error = INVAL;
      else if (!isDue(subject, load<u64>(from, 24), load<u16>(from, 40))) continue;
    } else if (!isStandard(subject)) error = BADF;
    const event = <u32>events + ready++ * EVENT_BYTES;
    if (!clear(event, EVENT_BYTES)) return FAULT;
    const to = at(event);
    store<u64>(to, userdata);
    store<u16>(to, error, 8);
    store<u8>(to, type, 10);
    if (type == CLOCK || error != SUCCESS) continue;
    store<u64>(to, subject == STDIN ? inputEnd - inputStart : WRITABLE_BYTES, 16);
  }
  if (ready == 0) return NOTSUP;
  return put32(out, ready) ? SUCCESS : FAULT;
}

function isDue(clock: i32, timeout: u64, flags: u16): bool {
  return (flags & ABSOLUTE) == 0 ? timeout == 0 : timeout <= clockTime(clock);
}
