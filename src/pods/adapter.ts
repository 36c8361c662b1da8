/** The server that a function is linked with to become a pod (pod/assembly). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildCache } from '../build/cache.ts';
import { Compiler } from '../build/compiler.ts';
import { formatDiagnostic } from '../build/diagnostic.ts';
import { MayflyError } from '../model/errors.ts';
import { PACKAGE_ROOT } from '../model/package-root.ts';

const SOURCE = join(PACKAGE_ROOT, 'pod/assembly/index.ts');
/** The package brings it compiled (scripts/build.ts); a clone compiles its sources. */
const COMPILED = join(PACKAGE_ROOT, 'dist/pod-server.wasm');
const IS_CLONE = import.meta.url.endsWith('.ts');

/**
 * The server as a module that is yet to be linked (src/pods/link). `folder` keeps what a clone compiled (`.mayfly/build`).
 * Throws a MayflyError: `build-failed` when the compiler finds a mistake, which only a contributor gets to see,
 * `pod-adapter` when the package is not complete.
 */
export async function podServer(folder: string): Promise<Uint8Array> {
  if (IS_CLONE) return await compileOnce(folder);
  try {
    return await readFile(COMPILED);
  } catch {
    throw new MayflyError("Cannot build: the pod's server is not in the package", {
      where: COMPILED,
      fix: 'Install Mayfly again.',
      code: 'pod-adapter',
    });
  }
}

async function compileOnce(folder: string): Promise<Uint8Array> {
  const cache = new BuildCache(folder);
  const finished = await cache.find(SOURCE);
  if (finished !== null) return finished.wasm;
  await using compiler = new Compiler('server');
  const { wasm, diagnostics, seen } = await compiler.compile(SOURCE);
  if (wasm === null) {
    const mistakes = diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic);
    throw new MayflyError("Cannot build: the pod's server does not compile", {
      where: SOURCE,
      fix: mistakes.join('\n'),
      code: 'build-failed',
    });
  }
  await cache.store(SOURCE, wasm, seen, []);
  return wasm;
}
