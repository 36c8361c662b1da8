import { arena } from "../guest";
import { reserve, rest } from "./arena";

/**
 * Blocks of memory that come and go: requests that arrive in parts, answers that wait to be taken. A buddy allocator
 * (Knuth, The Art of Computer Programming, vol. 1, §2.5): sizes are powers of two, and halves of a block become one again
 * when both are free, so that years of traffic leave the arena as it was.
 */
const SMALLEST_SHIFT: u32 = 10;
const ORDERS: u32 = 21;
const FREE: u32 = 0x80;

/** First free block of each order, 0 for none. A free block holds the next and the previous one in its first words. */
const heads: usize = memory.data(84, 4);
/** A byte for each smallest block: order + 1 where a block begins, with FREE when nobody has it. */
let orders: usize = 0;
let first: usize = 0;
let count: u32 = 0;

/** Takes all that is left of the arena. */
export function openBlocks(): void {
  const available = arena() - rest();
  orders = reserve(available >> SMALLEST_SHIFT);
  first = (rest() + 1023) & ~1023;
  count = <u32>((arena() - first) >> SMALLEST_SHIFT);
  let index: u32 = 0;
  while (index < count) {
    let order = index == 0 ? ORDERS - 1 : min(<u32>ctz(index), ORDERS - 1);
    while (index + (1 << order) > count) order--;
    give(index, order);
    index += 1 << order;
  }
}

/** At least so many bytes, or 0 when there is no room. */
export function take(bytes: usize): usize {
  if (bytes > <usize>1 << 30) return 0;
  const wanted = orderOf(bytes);
  let order = wanted;
  while (order < ORDERS && load<usize>(heads + (order << 2)) == 0) order++;
  if (order == ORDERS) return 0;
  const block = load<usize>(heads + (order << 2));
  const index = <u32>((block - first) >> SMALLEST_SHIFT);
  unlink(block, order);
  while (order > wanted) {
    order--;
    give(index + (1 << order), order);
  }
  store<u8>(orders + index, wanted + 1);
  return block;
}

export function release(block: usize): void {
  let index = <u32>((block - first) >> SMALLEST_SHIFT);
  let order: u32 = load<u8>(orders + index) - 1;
  while (order + 1 < ORDERS) {
    const buddy = index ^ (1 << order);
    if (buddy + (1 << order) > count || load<u8>(orders + buddy) != (FREE | (order + 1))) break;
    unlink(first + (<usize>buddy << SMALLEST_SHIFT), order);
    store<u8>(orders + max(index, buddy), 0);
    index = min(index, buddy);
    order++;
  }
  give(index, order);
}

/** How many bytes a block has. */
export function capacity(block: usize): usize {
  const index = (block - first) >> SMALLEST_SHIFT;
  return <usize>1 << (<usize>load<u8>(orders + index) - 1 + SMALLEST_SHIFT);
}

/**
 * A block with room for `bytes` that begins with the first `kept` bytes of `block`, which may be 0 and is released if it
 * was too small. 0: there is no room, and `block` is as it was.
 */
export function grow(block: usize, kept: usize, bytes: usize): usize {
  if (block != 0 && capacity(block) >= bytes) return block;
  const larger = take(bytes);
  if (larger == 0) return 0;
  if (block != 0) {
    memory.copy(larger, block, kept);
    release(block);
  }
  return larger;
}

function orderOf(bytes: usize): u32 {
  const units = <u32>((max(bytes, 1) - 1) >> SMALLEST_SHIFT);
  return units == 0 ? 0 : 32 - clz(units);
}

function give(index: u32, order: u32): void {
  const block = first + (<usize>index << SMALLEST_SHIFT);
  const next = load<usize>(heads + (order << 2));
  store<usize>(block, next);
  store<usize>(block, 0, 4);
  if (next != 0) store<usize>(next, block, 4);
  store<usize>(heads + (order << 2), block);
  store<u8>(orders + index, FREE | (order + 1));
}

function unlink(block: usize, order: u32): void {
  const next = load<usize>(block);
  const previous = load<usize>(block, 4);
  if (next != 0) store<usize>(next, previous, 4);
  if (previous != 0) store<usize>(previous, next);
  else store<usize>(heads + (order << 2), next);
}
