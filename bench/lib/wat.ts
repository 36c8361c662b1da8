import wabtModule from 'wabt';

/** WebAssembly text to a module. */
export async function assemble(text: string): Promise<Uint8Array> {
  const wabt = await wabtModule();
  const parsed = wabt.parseWat('guest.wat', text, { reference_types: true, bulk_memory: true });
  try {
    return Uint8Array.from(parsed.toBinary({}).buffer);
  } finally {
    parsed.destroy();
  }
}
