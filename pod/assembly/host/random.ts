import * as wasi from "../wasi";

/**
 * Random bytes fit for secrets: ChaCha20 (RFC 8439) keyed with what the host has. WasmEdge 0.14.1 fills a whole buffer
 * from one 32-bit seed by a linear congruential generator, so that a call yields no more than 31 bits of randomness,
 * however many bytes are asked for. Words are therefore asked for one by one, each with a seed of its own, and the
 * key is stretched from there.
 */
const state: usize = memory.data(64, 16);
const block: usize = memory.data(64, 16);
/** Bytes of the block that were given out. */
let used: usize = 64;

export function openRandom(): void {
  // "expand 32-byte k"
  store<u64>(state, 0x3320646e61707865);
  store<u64>(state, 0x6b20657479622d32, 8);
  for (let word: usize = 4; word < 16; word++) {
    // Two draws for a word, since the lowest and highest bits of one are not evenly spread.
    const value = draw() ^ rotl<u32>(draw(), 16);
    store<u32>(state + (word << 2), word == 12 ? 0 : value);
  }
}

function draw(): u32 {
  if (wasi.random_get(wasi.out, 4) != wasi.SUCCESS) unreachable(); // without randomness nothing may be served
  return load<u32>(wasi.out);
}

export function fillRandom(to: usize, length: usize): void {
  for (let done: usize = 0; done < length;) {
    if (used == 64) {
      nextBlock(state, block);
      used = 0;
    }
    const count = min<usize>(64 - used, length - done);
    memory.copy(to + done, block + used, count);
    memory.fill(block + used, 0, count); // what was given out cannot be read again
    used += count;
    done += count;
  }
}

/** A number in [0, 1). */
export function randomNumber(): f64 {
  fillRandom(wasi.out, 8);
  return <f64>(load<u64>(wasi.out) >> 11) / 9007199254740992.0;
}

/** One block of key stream, RFC 8439 §2.3; the counter goes on. */
export function nextBlock(state: usize, to: usize): void {
  memory.copy(to, state, 64);
  for (let round = 0; round < 10; round++) {
    quarterRound(to, 0, 4, 8, 12);
    quarterRound(to, 1, 5, 9, 13);
    quarterRound(to, 2, 6, 10, 14);
    quarterRound(to, 3, 7, 11, 15);
    quarterRound(to, 0, 5, 10, 15);
    quarterRound(to, 1, 6, 11, 12);
    quarterRound(to, 2, 7, 8, 13);
    quarterRound(to, 3, 4, 9, 14);
  }
  for (let word: usize = 0; word < 64; word += 4) store<u32>(to + word, load<u32>(to + word) + load<u32>(state + word));
  store<u32>(state, load<u32>(state, 48) + 1, 48);
}

function quarterRound(at: usize, a: usize, b: usize, c: usize, d: usize): void {
  mix(at, a, b, d, 16);
  mix(at, c, d, b, 12);
  mix(at, a, b, d, 8);
  mix(at, c, d, b, 7);
}

/** `x += y; z = (z ^ x) <<< by` */
function mix(at: usize, x: usize, y: usize, z: usize, by: u32): void {
  const sum = load<u32>(at + (x << 2)) + load<u32>(at + (y << 2));
  store<u32>(at + (x << 2), sum);
  store<u32>(at + (z << 2), rotl<u32>(load<u32>(at + (z << 2)) ^ sum, by));
}
