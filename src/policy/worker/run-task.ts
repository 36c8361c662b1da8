import { Worker } from 'node:worker_threads';
import { MayflyError, type MayflyErrorInit } from '../../model/errors.ts';
import { PolicyEvaluationError } from '../types.ts';
import type { TaskName, Tasks } from './tasks.ts';

/** Far beyond what real policies need (a second or two); a hostile one is stopped here. */
const TASK_TIMEOUT_MS = 60_000;

/** What comes back from the worker. */
export type Reply =
  | { readonly value: unknown }
  | { readonly refused: { readonly what: string; readonly init: MayflyErrorInit } }
  | { readonly failed: string };

/** Sources run as they are in a clone, and as JavaScript in the package. */
const workerFile = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';

/**
 * Does one task in a thread of its own, bounded in time and memory: it compiles and runs what a stranger wrote.
 * Rejects with MayflyError when the policy is refused or takes too much, with PolicyEvaluationError when it fails.
 */
export async function runTask<Name extends TaskName>(
  name: Name,
  asked: Parameters<Tasks[Name]>[0],
  timeoutMs = TASK_TIMEOUT_MS,
): Promise<ReturnType<Tasks[Name]>> {
  const worker = new Worker(new URL(workerFile, import.meta.url), {
    workerData: { name, asked },
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  });
  const reply = await firstMessage(worker, timeoutMs).finally(() => worker.terminate());
  if ('refused' in reply) throw new MayflyError(reply.refused.what, reply.refused.init);
  if ('failed' in reply) throw new PolicyEvaluationError(reply.failed);
  return reply.value as ReturnType<Tasks[Name]>;
}

function firstMessage(worker: Worker, timeoutMs: number): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooMuch(`it took more than ${timeoutMs / 1000} s`)), timeoutMs);
    worker.once('message', resolve);
    worker.once('error', (cause) => reject(tooMuch(firstLine(cause), cause)));
    worker.once('exit', () => {
      clearTimeout(timer);
      reject(tooMuch('it ended without an answer'));
    });
  });
}

function tooMuch(why: string, cause?: unknown): MayflyError {
  return new MayflyError(`The policy could not be worked on: ${why}`, {
    fix: 'Make the policy smaller or simpler.',
    code: 'policy-too-much',
    cause,
  });
}

function firstLine(cause: unknown): string {
  return String(cause instanceof Error ? cause.message : cause).split('\n', 1)[0] as string;
}
