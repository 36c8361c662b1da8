/** Time as the operator knows it; tests have one that they turn themselves. */
export interface Time {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` is aborted. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const realTime: Time = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done);
    }),
};

/** The wait before attempt `failures` + 1: twice as long each time, with up to half of it left out by chance. */
export function backoff(failures: number, { first, most }: { first: number; most: number }): number {
  const whole = Math.min(most, first * 2 ** Math.min(failures - 1, 30));
  return whole * (1 - Math.random() / 2);
}
