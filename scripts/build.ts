/**
 * Emits the JavaScript that the published package carries: Node strips types from sources of its own, but refuses to
 * inside node_modules. Output, below `--out` (dist): dist/src/**, same tree as src/, dist/templates, the examples as `mayfly init` copies them, and
 * dist/pod-server.wasm, the server of pods.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { podServer } from '../src/pods/adapter.ts';

const root = join(import.meta.dirname, '..');
const config = join(root, 'tsconfig.build.json');
const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'dist') } } });
const out = resolve(values.out);
rmSync(out, { recursive: true, force: true });
const compiler = join(root, 'node_modules/typescript/bin/tsc');
const result = spawnSync(process.execPath, [compiler, '-p', config, '--outDir', out], { stdio: 'inherit' });
if (result.status !== 0) process.exit(result.status ?? 1);

// Hidden files are what somebody left who tried an example: state, builds, secrets.
cpSync(join(root, 'examples'), join(out, 'templates'), {
  recursive: true,
  filter: (path) => !basename(path).startsWith('.'),
});

writeFileSync(join(out, 'pod-server.wasm'), await podServer(join(root, '.mayfly/build')));
