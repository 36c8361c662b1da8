/** WebAssembly text to a module in a file, for tests. */
import { readFileSync, writeFileSync } from 'node:fs';
import wabtModule from 'wabt';

const FEATURES = { multi_memory: true, tail_call: true, exceptions: true, simd: true, reference_types: true };

export async function assemble(source: string, target: string): Promise<void> {
  const wabt = await wabtModule();
  const module = wabt.parseWat(source, readFileSync(source, 'utf8'), FEATURES);
  writeFileSync(target, module.toBinary({}).buffer);
  module.destroy();
}
