/** Pod modules as `mayfly build --target wasmedge` makes them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../../..');

/** The module of the function of a folder or a configuration file; with a `wasmedge` program it is compiled ahead of time. */
export async function buildPod(
  source: string,
  { wasmedge }: { readonly wasmedge?: string },
): Promise<Uint8Array> {
  const scratch = mkdtempSync(join(tmpdir(), 'mayfly-pod-'));
  try {
    const output = join(scratch, 'app.wasm');
    const aot = wasmedge === undefined ? [] : ['--aot'];
    const program = wasmedge === undefined ? {} : { MAYFLY_WASMEDGE: wasmedge };
    const args = ['build', join(ROOT, source), '--target', 'wasmedge', ...aot, '--out', output];
    const done = spawnSync(process.execPath, [join(ROOT, 'bin/mayfly.js'), ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...program },
    });
    if (done.status !== 0) throw new Error(done.stderr);
    return readFileSync(output);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
