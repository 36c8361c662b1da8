/**
 * Makes the fixture of OPA's own test cases: `node test/conformance/rego-fixture.ts` (needs Go; the Go module cache or
 * proxy gives OPA). The complete cases, WebAssembly modules included, are kept in the cache folder
 * ($XDG_CACHE_HOME/mayfly); the fixture has the plans only, and only of cases that the platform can load.
 */
import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  mkdirSync,
  openSync,
  closeSync,
  renameSync,
  writeFileSync,
  existsSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { constants, zstdCompressSync } from 'node:zlib';
import { fixture, opaVersion, type OpaCase } from './cases.ts';

const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mayfly');
export const completeCasesFile = join(cache, `opa-cases-${opaVersion}.jsonl`);

/** Compiles and evaluates OPA's test cases with OPA itself: a minute or so, once per version. */
export function prepareCompleteCases(): void {
  if (existsSync(completeCasesFile)) return;
  mkdirSync(cache, { recursive: true });
  const partial = `${completeCasesFile}.partial`;
  const output = openSync(partial, 'w');
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' };
  execFileSync('go', ['run', '.'], {
    cwd: join(import.meta.dirname, 'opa-cases'),
    stdio: ['ignore', output, 'inherit'],
    env,
  });
  closeSync(output);
  renameSync(partial, completeCasesFile);
}

export async function* completeCases(): AsyncGenerator<OpaCase> {
  prepareCompleteCases();
  for await (const line of createInterface({ input: createReadStream(completeCasesFile) })) {
    yield JSON.parse(line) as OpaCase;
  }
}

/** Where a statement came from is of no use here, and half of a plan. */
const locations = new Set(['file', 'row', 'col', 'end_row', 'end_col', 'decl', 'files', 'index']);

function withoutLocations(this: unknown, key: string, value: unknown): unknown {
  const isBreak = key === 'index' && !Object.hasOwn(this as object, 'Index');
  return locations.has(key) && !isBreak ? undefined : value;
}

async function writeFixture(): Promise<void> {
  const lines: string[] = [];
  for await (const { wasm: _wasm, plan, ...rest } of completeCases()) {
    lines.push(JSON.stringify({ ...rest, plan: plan && JSON.parse(JSON.stringify(plan, withoutLocations)) }));
  }
  const params = { [constants.ZSTD_c_compressionLevel]: 19 };
  mkdirSync(join(fixture, '..'), { recursive: true });
  writeFileSync(fixture, zstdCompressSync(`${lines.join('\n')}\n`, { params }));
}

if (import.meta.main) await writeFixture();
