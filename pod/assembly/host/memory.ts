import * as guest from "../guest";

/** The guest's memory as host functions use it: every range is checked, and what is written there is marked. */

/** Where a guest's bytes lie in our memory. */
// @ts-ignore: decorator
@inline
export function at(address: u32): usize {
  return guest.base() + address;
}

/** As `guest.has`, and restore will undo what is written there. */
export function writable(address: u32, length: u32): bool {
  if (!guest.has(address, length)) return false;
  guest.mark(address, length);
  return true;
}

/** False: outside the guest's memory, and nothing was written. */
export function put32(address: u32, value: u32): bool {
  if (!writable(address, 4)) return false;
  store<u32>(at(address), value);
  return true;
}

export function put64(address: u32, value: u64): bool {
  if (!writable(address, 8)) return false;
  store<u64>(at(address), value);
  return true;
}

/** Fills with zeros. */
export function clear(address: u32, length: u32): bool {
  if (!writable(address, length)) return false;
  memory.fill(at(address), 0, length);
  return true;
}
