/** Several processes that share a rate limit, and what they let pass together. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { monotonicNow } from '../../../src/limits/monotonic.ts';

export interface LimiterOrder {
  readonly port: number;
  readonly rate: number;
  readonly burst: number;
  readonly keys: number;
  readonly intervalMs: number;
  /** It is ready when it knows so many, itself among them. */
  readonly members: number;
}

export type ToLimiter = { readonly type: 'load'; readonly startAt: number; readonly durationMs: number };
export type FromLimiter =
  | { readonly type: 'ready' }
  | { readonly type: 'down' }
  | {
      readonly type: 'done';
      /** By key. */
      readonly accepted: readonly number[];
      readonly asked: number;
      /** Longest time between two of its messages. */
      readonly slowestMs: number;
      readonly lost: number;
    };

export type LoadResult = Extract<FromLimiter, { type: 'done' }>;

export interface Limiters extends AsyncDisposable {
  /** All at once, for so long. */
  load(durationMs: number): Promise<LoadResult[]>;
  /** Resolves when each has said that it cannot reach the others. */
  readonly down: Promise<unknown>;
}

export async function startLimiters(order: LimiterOrder): Promise<Limiters> {
  const children = Array.from({ length: order.members }, () =>
    fork(join(import.meta.dirname, 'limiting-process.ts'), [JSON.stringify(order)], { stdio: 'inherit' }),
  );
  const all = <Type extends FromLimiter['type']>(type: Type) =>
    Promise.all(children.map((child) => said(child, type)));
  const down = all('down');
  await all('ready');
  return {
    down,
    load: async (durationMs) => {
      const done = all('done');
      const message: ToLimiter = { type: 'load', startAt: monotonicNow() + 200, durationMs };
      for (const child of children) child.send(message);
      return done;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null) return;
          const ended = once(child, 'close');
          child.kill('SIGKILL');
          await ended;
        }),
      );
    },
  };
}

function said<Type extends FromLimiter['type']>(
  child: ChildProcess,
  type: Type,
): Promise<Extract<FromLimiter, { type: Type }>> {
  return new Promise((resolve) => {
    child.on('message', (message: FromLimiter) => {
      if (message.type === type) resolve(message as Extract<FromLimiter, { type: Type }>);
    });
  });
}
