/**
 * A policy that was compiled elsewhere and comes with the configuration: one compressed file, called by the digest of its
 * sources. Whoever can write it can write the policy itself; what is damaged or of another compiler is compiled anew.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import type { CompilerAnswer } from './compiler/protocol.ts';

/** Unpacked; real ones have some 100 KB. */
const LONGEST = 64 * 1024 * 1024;
/** Quick, and within a tenth of the best. */
const QUALITY = 6;

/** `digest`: `sha256:<hex>` */
export function shippedName(digest: string): string {
  return `${digest.replace('sha256:', '')}.policy`;
}

export async function packAnswer(answer: CompilerAnswer): Promise<Uint8Array> {
  const params = { [constants.BROTLI_PARAM_QUALITY]: QUALITY };
  return await promisify(brotliCompress)(JSON.stringify(answer), { params });
}

/** Null: there is none that can be used. */
export async function readShipped(folder: string, digest: string): Promise<CompilerAnswer | null> {
  try {
    const packed = await readFile(join(folder, shippedName(digest)));
    const text = await promisify(brotliDecompress)(packed, { maxOutputLength: LONGEST });
    return usable(JSON.parse(text.toString()));
  } catch {
    return null;
  }
}

/** Null for what is no answer to a compile. */
export function usable(answer: Partial<CompilerAnswer> | null): CompilerAnswer | null {
  if (typeof answer?.wasm !== 'string' || answer.plan === undefined || !Array.isArray(answer.rules))
    return null;
  return WebAssembly.validate(Uint8Array.fromBase64(answer.wasm)) ? (answer as CompilerAnswer) : null;
}
