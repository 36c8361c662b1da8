/** The WebAssembly project's own tests of WASI preview 1, as far as they need no file system. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runProgram } from '../support/wasi-program.ts';

interface Expectation {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly exit_code?: number;
  readonly stdout?: string;
}

const FOLDER = new URL('wasi-testsuite/', import.meta.url);
const expectations = JSON.parse(readFileSync(new URL('expectations.json', FOLDER), 'utf8')) as Record<
  string,
  Expectation
>;

for (const [name, { args = [], env = {}, exit_code: exitCode = 0, stdout }] of Object.entries(expectations)) {
  test(name, () => {
    const ended = runProgram(readFileSync(new URL(`${name}.wasm`, FOLDER)), { args, env });
    assert.equal(ended.exitCode, exitCode, ended.stderr);
    if (stdout !== undefined) assert.equal(ended.stdout, stdout);
  });
}
