/** The server that a function is linked with to become a pod (pod/assembly), compiled when it is first needed. */
import { join } from 'node:path';
import { BuildCache } from '../build/cache.ts';
import { Compiler } from '../build/compiler.ts';
import { formatDiagnostic } from '../build/diagnostic.ts';
import { MayflyError } from '../model/errors.ts';
import { PACKAGE_ROOT } from '../model/package-root.ts';

const SOURCE = join(PACKAGE_ROOT, 'pod/assembly/index.ts');

/**
 * The server as a module that is yet to be linked (src/pods/link). `folder` keeps finished builds (`.mayfly/build`).
 * Throws a MayflyError (`build-failed`) when the compiler finds a mistake, which only a contributor gets to see.
 */
export async function compileAdapter(folder: string): Promise<Uint8Array> {
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
