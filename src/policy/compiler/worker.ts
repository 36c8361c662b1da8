/** Worker thread: answers one compiler request and ends, which gives its 300 MB back. */
import { parentPort, workerData } from 'node:worker_threads';
import { readCompiler } from './asset.ts';
import type { CompilerAnswer, CompilerRequest } from './protocol.ts';
import { runFilter } from './wasi-filter.ts';

const request = workerData as CompilerRequest;
const module = new WebAssembly.Module(readCompiler());
const result = runFilter(module, Buffer.from(JSON.stringify(request)));
if (result.exitCode !== 0) throw new Error(result.stderr.trim() || `exit code ${result.exitCode}`);
const answer: CompilerAnswer = JSON.parse(result.stdout.toString());
parentPort?.postMessage(answer);
