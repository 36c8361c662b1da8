/**
 * `node pack.ts IN.wasm OUT.wasm.zst`: gives the compiler's memory a ceiling (Go declares none, and a
 * hostile policy must not eat the machine), compresses it, and prints the digest for src/policy/compiler-asset.ts.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { constants, zstdCompressSync } from 'node:zlib';

/** 768 MiB; large policy sets need about 300. */
const MAX_PAGES = 12288;
const MEMORY_SECTION = 5;

const [, , input, output] = process.argv;
if (input === undefined || output === undefined) throw new Error('usage: pack.ts IN.wasm OUT.wasm.zst');
const capped = capMemory(readFileSync(input));
const packed = zstdCompressSync(capped, {
  params: {
    [constants.ZSTD_c_compressionLevel]: 19,
    [constants.ZSTD_c_windowLog]: 27,
    [constants.ZSTD_c_contentSizeFlag]: 1,
  },
});
writeFileSync(output, packed);
const digest = createHash('sha256').update(packed).digest('hex');
console.log(`${output}: ${packed.length} bytes, sha256 ${digest}, unpacked ${capped.length} bytes`);

/** Rewrites the memory section `(memory min)` as `(memory min MAX_PAGES)`. */
function capMemory(wasm: Buffer): Buffer {
  let at = 8;
  while (at < wasm.length) {
    const id = wasm[at];
    const [size, body] = readUnsigned(wasm, at + 1);
    if (id === MEMORY_SECTION) {
      const [count, flagsAt] = readUnsigned(wasm, body);
      const flags = wasm[flagsAt];
      if (count !== 1 || flags !== 0) throw new Error('expected one memory without a maximum');
      const [minimum] = readUnsigned(wasm, flagsAt + 1);
      const section = [1, 1, ...unsigned(minimum), ...unsigned(MAX_PAGES)];
      const replacement = Buffer.from([MEMORY_SECTION, ...unsigned(section.length), ...section]);
      return Buffer.concat([wasm.subarray(0, at), replacement, wasm.subarray(body + size)]);
    }
    at = body + size;
  }
  throw new Error('no memory section');
}

function readUnsigned(bytes: Buffer, at: number): [value: number, next: number] {
  let value = 0;
  let shift = 0;
  for (;;) {
    const byte = bytes[at++];
    if (byte === undefined) throw new Error('truncated module');
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value >>> 0, at];
    shift += 7;
  }
}

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...bytes, rest];
}
