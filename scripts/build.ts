/**
 * Emits the JavaScript that the published package carries: Node strips types from sources of its own, but refuses to
 * inside node_modules. Output: dist/src/**, same tree as src/.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const config = join(root, 'tsconfig.build.json');
rmSync(join(root, 'dist'), { recursive: true, force: true });
const result = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config], {
  stdio: 'inherit',
});
if (result.status !== 0) process.exit(result.status ?? 1);
