/** Which place in the metrics each of the revisions that share a function's requests has. */
import { TRACKS } from '../model/function.ts';

/** Revision numbers by track; null: nobody's. */
export type Tracks = readonly (number | null)[];

export const NO_TRACKS: Tracks = Array.from({ length: TRACKS }, () => null);

/** Who was there stays; who is new gets a place that nobody had last, where there is one. */
export function assignTracks(before: Tracks, revisions: readonly number[]): Tracks {
  const after: (number | null)[] = before.map((number) =>
    number !== null && revisions.includes(number) ? number : null,
  );
  for (const number of revisions) {
    if (after.includes(number)) continue;
    const unused = after.findIndex((taken, track) => taken === null && before[track] === null);
    after[unused >= 0 ? unused : after.indexOf(null)] = number;
  }
  return after;
}
