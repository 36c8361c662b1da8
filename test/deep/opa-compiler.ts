/**
 * `node test/deep/opa-compiler.ts`: rebuilds the policy compiler from its pinned Go module and compares the digest with
 * the one in the source. Needs Go and some minutes; not part of `npm test`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ASSET_SHA256 } from '../../src/policy/compiler/asset.ts';

const folder = mkdtempSync(join(tmpdir(), 'mayfly-opa-compiler-'));
const rebuilt = join(folder, 'rebuilt.wasm.zst');
const script = join(import.meta.dirname, '../../scripts/opa-compiler/build.sh');
const { status } = spawnSync(script, [rebuilt], { stdio: 'inherit' });
const digest =
  status === 0 ? createHash('sha256').update(readFileSync(rebuilt)).digest('hex') : 'build failed';
rmSync(folder, { recursive: true });
const same = digest === ASSET_SHA256;
console.log(same ? 'The same digest.' : `Different: expected ${ASSET_SHA256}, got ${digest}.`);
process.exitCode = same ? 0 : 1;
