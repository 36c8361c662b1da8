import { clockTime, isClock } from './clock.ts';
import { BADF, INVAL, NOTSUP, SUCCESS } from './errno.ts';
import type { GuestMemory } from './guest-memory.ts';
import { type InputStream, isStandard, STDIN } from './streams.ts';

/** Subscriptions in one call; a function has three streams and two clocks to wait for. */
const MAX_SUBSCRIPTIONS = 256;
const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const CLOCK = 0;
const ABSOLUTE = 1;
/** What may be written to a stream at once, as far as a program needs to know. */
const WRITABLE_BYTES = 65_536n;

/**
 * `poll_oneoff` where nothing ever has to be waited for: the standard streams are always ready, a clock is when its time
 * has come. With nothing ready the call fails (ENOTSUP): a function that sleeps would block everybody on its thread.
 */
export function poll(
  memory: GuestMemory,
  stdin: InputStream,
  subscriptions: number,
  events: number,
  count: number,
  out: number,
): number {
  if (count === 0 || count > MAX_SUBSCRIPTIONS) return INVAL;
  let ready = 0;
  for (let index = 0; index < count; index++) {
    const at = subscriptions + index * SUBSCRIPTION_BYTES;
    const bytes = memory.readable(at, SUBSCRIPTION_BYTES);
    const userdata = bytes.readBigUInt64LE(at);
    const type = bytes[at + 8] as number;
    const subject = bytes.readUInt32LE(at + 16);
    let error = SUCCESS;
    if (type === CLOCK) {
      const due = clockDue(subject, bytes.readBigUInt64LE(at + 24), bytes.readUInt16LE(at + 40));
      if (due === false) continue;
      if (due === null) error = INVAL;
    } else if (!isStandard(subject)) {
      error = BADF;
    }
    const event = events + ready++ * EVENT_BYTES;
    const written = memory.clear(event, EVENT_BYTES);
    written.writeBigUInt64LE(userdata, event);
    written.writeUInt16LE(error, event + 8);
    written[event + 10] = type;
    if (type !== CLOCK && error === SUCCESS) {
      const available = subject === STDIN ? BigInt(stdin.remaining) : WRITABLE_BYTES;
      written.writeBigUInt64LE(available, event + 16);
    }
  }
  if (ready === 0) return NOTSUP;
  memory.writeU32(out, ready);
  return SUCCESS;
}

/** Null: there is no such clock. */
function clockDue(id: number, timeout: bigint, flags: number): boolean | null {
  if (!isClock(id)) return null;
  return (flags & ABSOLUTE) === 0 ? timeout === 0n : timeout <= clockTime(id);
}
