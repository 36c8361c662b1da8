/**
 * The compiled modules that the control plane keeps alive: of every revision that serves, ready for the next snapshot and
 * for a thread that must be replaced at once.
 */
import type { Configuration, Revision } from './records.ts';

/** An artifact ready to run. */
export interface LoadedModule {
  readonly module: WebAssembly.Module;
  /** What the rewriter learnt (runtime/prepare: PreparedInfo). */
  readonly prepared: unknown;
}

type Part = Pick<Revision, 'digest'> & { readonly configuration: Pick<Configuration, 'limits'> };

export interface ModuleShelf {
  get(revision: Part): LoadedModule | undefined;
  put(revision: Part, loaded: LoadedModule): void;
  /** Lets go of all others. */
  keepOnly(revisions: readonly Part[]): void;
  readonly size: number;
}

/** Preparing depends on the bytes and on the memory limit, so revisions that agree in both share one module. */
function keyOf(revision: Part): string {
  return `${revision.digest} ${revision.configuration.limits.memoryBytes}`;
}

export function createModuleShelf(): ModuleShelf {
  const modules = new Map<string, LoadedModule>();
  return {
    get: (revision) => modules.get(keyOf(revision)),
    put: (revision, loaded) => void modules.set(keyOf(revision), loaded),
    keepOnly(revisions) {
      const keep = new Set(revisions.map(keyOf));
      for (const key of modules.keys()) {
        if (!keep.has(key)) modules.delete(key);
      }
    },
    get size() {
      return modules.size;
    },
  };
}
