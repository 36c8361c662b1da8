/** The thread that compiles: one message in (a path), one out (a Compilation or an error). */
import { parentPort } from 'node:worker_threads';
import { compile, type Recipe } from './compile.ts';

parentPort?.on('message', async ({ id, file, recipe }: { id: number; file: string; recipe: Recipe }) => {
  try {
    parentPort?.postMessage({ id, compilation: await compile(file, recipe) });
  } catch (error) {
    parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
