import { arena } from "../guest";

/** Where the next reservation begins. Everything is reserved once, at start; what is never used is never touched. */
let next: usize = 0;

export function openArena(): void {
  next = align(__heap_base);
}

/** Room for good, zeroed, at a multiple of 16; 16 bytes behind it may be read. */
export function reserve(bytes: usize): usize {
  const at = next;
  next = align(at + bytes + 16);
  if (next > arena()) unreachable(); // the arena is made to fit the settings (src/pods/settings.ts)
  return at;
}

/** What is left after all reservations: its start. */
export function rest(): usize {
  return next;
}

function align(address: usize): usize {
  return (address + 15) & ~15;
}
