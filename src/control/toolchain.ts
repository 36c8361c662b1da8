import { buildFunction } from '../build/build.ts';
import type { Compiler } from '../build/compiler.ts';
import { inspect } from '../runtime/prepare/inspect.ts';
import { prepare } from '../runtime/prepare/prepare.ts';
import { Prober } from '../runtime/prober.ts';
import type { Toolchain } from './deploy.ts';

export interface ToolchainOptions {
  /** The clock that CPU budgets are measured with; it must be running. */
  readonly epoch: WebAssembly.Memory;
  /** One that stays warm, for `mayfly dev`. Default: a new one for each build. */
  readonly compiler?: Compiler | undefined;
}

/** The real tools of a deploy but `pull` (images.ts): our builder, our rewriter, our runtime. */
export function createToolchain({ epoch, compiler }: ToolchainOptions): Omit<Toolchain, 'pull'> {
  const prober = new Prober(epoch);
  return {
    async build({ path, build }) {
      const { wasm } = await buildFunction({ source: path, ...build }, compiler);
      return wasm;
    },
    validate: (wasm) => ({ kind: inspect(wasm).kind }),
    prepare: (wasm, { memoryBytes }) => prepare(wasm, { memoryBytes }),
    probe: (revision) => prober.probe(revision),
  };
}
