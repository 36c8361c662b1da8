import { MayflyError } from '../model/errors.ts';

/**
 * The next free row for a function in the shared tables. Goes on from the last one given and wraps around, so that the row
 * of a removed function rests as long as possible before another function gets it.
 */
export function nextSlot(taken: ReadonlySet<number>, last: number, size: number): number {
  for (let step = 1; step <= size; step++) {
    const slot = (last + step) % size;
    if (!taken.has(slot)) return slot;
  }
  throw new MayflyError(`Cannot add a function: all ${size} places are taken`, {
    fix: 'Remove functions that are no longer needed.',
    code: 'too-many-functions',
  });
}
