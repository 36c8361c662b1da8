/** Worker thread: does one task and ends, which gives its memory back (300 MB after a compile). */
import { parentPort, workerData } from 'node:worker_threads';
import { MayflyError } from '../../model/errors.ts';
import { PolicyEvaluationError } from '../types.ts';
import type { Reply } from './run-task.ts';
import { tasks } from './tasks.ts';

const { name, asked } = workerData as { name: keyof typeof tasks; asked: never };
parentPort?.postMessage(answer());

/** Our own errors travel as plain objects: structured clone knows no classes. */
function answer(): Reply {
  try {
    return { value: tasks[name](asked) };
  } catch (error) {
    if (error instanceof MayflyError) {
      const { what, where, fix, code, exitCode } = error;
      return { refused: { what, init: { where, fix, code, exitCode } } };
    }
    if (error instanceof PolicyEvaluationError) return { failed: error.message };
    throw error;
  }
}
