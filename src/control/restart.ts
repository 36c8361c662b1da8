/** How long a thread must have lived for its death to count as bad luck, milliseconds. */
const HEALTHY_LIFE_MS = 5000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5000;

export interface Restart {
  /** Deaths in a row shortly after birth, this one included. */
  readonly earlyDeaths: number;
  /** Milliseconds until the replacement starts. */
  readonly delayMs: number;
}

/** A thread that had lived for a while is replaced at once, and so is one that died young once; after that the pauses double. */
export function decideRestart(livedMs: number, earlyDeathsBefore: number): Restart {
  if (livedMs >= HEALTHY_LIFE_MS) return { earlyDeaths: 0, delayMs: 0 };
  const earlyDeaths = earlyDeathsBefore + 1;
  const delayMs =
    earlyDeaths === 1 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(earlyDeaths - 2, 20));
  return { earlyDeaths, delayMs };
}
