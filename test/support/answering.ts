import wabtModule from 'wabt';

/**
 * A handler that answers every request with 200 and this text (docs/reference/guest-abi.md has the frame), after it ran
 * `first`: instructions in WAT, where local 1 is the length of the request's frame.
 */
export async function answering(text: string, first = ''): Promise<Uint8Array<ArrayBuffer>> {
  const wabt = await wabtModule();
  const header = Buffer.alloc(16);
  header[0] = 1;
  header.writeUInt16LE(200, 2);
  header.writeUInt32LE(text.length, 12);
  const frame = [...header, ...Buffer.from(text)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`);
  const module = wabt.parseWat(
    'answer.wat',
    `(module (memory (export "memory") 1) (data (i32.const 16) "${frame.join('')}")
       (func (export "alloc") (param i32) (result i32) i32.const 1024)
       (func (export "handle") (param i32 i32) (result i64) (local i32) ${first} i64.const ${(16n << 32n) | BigInt(frame.length)}))`,
  );
  const bytes = Uint8Array.from(module.toBinary({}).buffer);
  module.destroy();
  return bytes;
}
