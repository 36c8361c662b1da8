/**
 * The last lines that each function logged, for `mayfly logs`, and whoever follows along. Bounded in lines and in characters,
 * because guests decide how much they say.
 */
import type { GuestLogLine } from '../model/protocol.ts';

export interface GuestLogs {
  /** Called with what the data plane sends. */
  append(lines: readonly GuestLogLine[]): void;
  /** The newest `count` lines, oldest first. */
  tail(name: string, count: number): readonly GuestLogLine[];
  /** Calls `listener` for every line from now on, until the returned function is called. */
  follow(name: string, listener: (line: GuestLogLine) => void): () => void;
  /** The function was removed. */
  forget(name: string): void;
}

export interface GuestLogsOptions {
  /** Passes a line on to the log of the process. */
  readonly forward: (line: GuestLogLine) => void;
  readonly maxLines?: number;
  /** Characters of messages kept per function. */
  readonly maxCharacters?: number;
}

/** The lines of one function. The oldest go when there are too many, a quarter at once, so that dropping stays cheap. */
interface Tail {
  lines: GuestLogLine[];
  characters: number;
}

export function createGuestLogs(options: GuestLogsOptions): GuestLogs {
  const { forward, maxLines = 1000, maxCharacters = 256 * 1024 } = options;
  const tails = new Map<string, Tail>();
  const listeners = new Map<string, Set<(line: GuestLogLine) => void>>();

  const keep = (line: GuestLogLine) => {
    let tail = tails.get(line.function);
    if (tail === undefined) tails.set(line.function, (tail = { lines: [], characters: 0 }));
    tail.lines.push(line);
    tail.characters += line.message.length;
    while (tail.lines.length > maxLines || (tail.characters > maxCharacters && tail.lines.length > 1)) {
      const dropped = tail.lines.splice(0, Math.ceil(tail.lines.length / 4));
      for (const { message } of dropped) tail.characters -= message.length;
    }
  };

  return {
    append(lines) {
      for (const line of lines) {
        keep(line);
        forward(line);
        for (const listener of listeners.get(line.function) ?? []) listener(line);
      }
    },
    tail: (name, count) => (count <= 0 ? [] : (tails.get(name)?.lines.slice(-count) ?? [])),
    follow(name, listener) {
      const group = listeners.get(name) ?? new Set();
      listeners.set(name, group.add(listener));
      return () => {
        group.delete(listener);
        if (group.size === 0) listeners.delete(name);
      };
    },
    forget: (name) => void tails.delete(name),
  };
}
