/** The thread that compiles: one message in (a path), one out (a Compilation or an error). */
import { parentPort } from 'node:worker_threads';
import { compile } from './compile.ts';

parentPort?.on('message', async ({ id, file, quick }: { id: number; file: string; quick: boolean }) => {
  try {
    parentPort?.postMessage({ id, compilation: await compile(file, quick) });
  } catch (error) {
    parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
