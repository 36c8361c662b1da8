import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';
import { MayflyError } from '../../model/errors.ts';

/** The version of Open Policy Agent whose compiler we ship (scripts/opa-compiler). */
const OPA_VERSION = '1.22.2';

const FILE = `opa-compiler-${OPA_VERSION}.wasm.zst`;
/** Printed by scripts/opa-compiler/build.sh. */
export const ASSET_SHA256 = '75350d658d289dc25a79a4b9eece648e347b16d5291dfa8d1c55b3a964e5aa6c';

/** OPA's compiler as a WASI command, its digest checked. Costs about 50 ms. */
export function readCompiler(): Uint8Array<ArrayBuffer> {
  const path = assetPath();
  const packed = readFileSync(path);
  const digest = createHash('sha256').update(packed).digest('hex');
  if (digest !== ASSET_SHA256) {
    throw new MayflyError('The policy compiler is damaged: its digest is not the expected one', {
      where: path,
      fix: 'Install Mayfly again.',
      code: 'policy-compiler-damaged',
    });
  }
  return zstdDecompressSync(packed);
}

/** The folder is beside src/ in a clone, and beside dist/ in the package. */
function assetPath(): string {
  const candidates = ['../../../assets/', '../../../../assets/'].map((folder) =>
    fileURLToPath(new URL(folder + FILE, import.meta.url)),
  );
  const found = candidates.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new MayflyError('The policy compiler is missing', {
    where: candidates[0],
    fix: 'Install Mayfly again.',
    code: 'policy-compiler-missing',
  });
}
