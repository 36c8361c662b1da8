/** What signals mean to a server: the first one ends it gently, the second at once; SIGHUP reads everything again. */
import { constants } from 'node:os';

const ENDING = ['SIGINT', 'SIGTERM'] as const;

export interface SignalHandlers {
  readonly onEnd: () => void;
  readonly onHangup: () => void;
}

/** Until `[Symbol.dispose]` is called. */
export function onSignals({ onEnd, onHangup }: SignalHandlers): Disposable {
  let asked = false;
  const end = (signal: (typeof ENDING)[number]) => {
    // The usual code of a process that a signal ended.
    if (asked) process.exit(128 + constants.signals[signal]);
    asked = true;
    onEnd();
  };
  for (const signal of ENDING) process.on(signal, end);
  process.on('SIGHUP', onHangup);
  return {
    [Symbol.dispose]() {
      for (const signal of ENDING) process.off(signal, end);
      process.off('SIGHUP', onHangup);
    },
  };
}
