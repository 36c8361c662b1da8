import { Worker } from 'node:worker_threads';
import { MayflyError } from '../../model/errors.ts';
import type { CompilerAnswer, CompilerRequest } from './protocol.ts';

/** Far beyond what real policies need (about one second); a hostile one is stopped here. */
const TIMEOUT_MS = 30_000;

/** Sources run as they are in a clone, and as JavaScript in the package. */
const workerFile = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';

/** Runs OPA's compiler in a thread of its own with nothing to reach for, bounded in time and memory. */
export function runCompiler(request: CompilerRequest, timeoutMs = TIMEOUT_MS): Promise<CompilerAnswer> {
  const worker = new Worker(new URL(workerFile, import.meta.url), {
    workerData: request,
    env: {},
    stdin: false,
    resourceLimits: { maxOldGenerationSizeMb: 512 },
  });
  return new Promise<CompilerAnswer>((resolve, reject) => {
    const timer = setTimeout(() => reject(tooMuch(`took more than ${timeoutMs / 1000} s`)), timeoutMs);
    worker.once('message', resolve);
    worker.once('error', (cause) =>
      reject(cause instanceof MayflyError ? cause : tooMuch(firstLine(cause), cause)),
    );
    worker.once('exit', () => reject(tooMuch('ended without an answer')));
    worker.once('exit', () => clearTimeout(timer));
  }).finally(() => worker.terminate());
}

function tooMuch(why: string, cause?: unknown): MayflyError {
  return new MayflyError(`The policy compiler gave up: it ${why}`, {
    fix: 'Make the policy smaller; a compile may use 768 MiB and 30 s.',
    code: 'policy-compiler-failed',
    cause,
  });
}

function firstLine(cause: unknown): string {
  return String(cause instanceof Error ? cause.message : cause).split('\n', 1)[0] as string;
}
