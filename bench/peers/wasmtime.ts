import { execFile } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import asc from 'assemblyscript/asc';
import { firstLine, wasmtimeTools } from '../lib/cache.ts';
import { freePort } from '../lib/process.ts';
import { launch, type Materials, type Peer } from './peer.ts';

const run = promisify(execFile);
const COMPONENT = join(import.meta.dirname, 'component');
const SDK = join(import.meta.dirname, '../../sdk/assemblyscript/assembly');

const CORE_FLAGS = [
  ['--runtime', 'stub'],
  ['-O3'],
  ['--enable', 'simd'],
  ['--use', 'abort='],
  ['--path', SDK],
  ['--noColors'],
].flat();

/** Clears memories, tables and stacks in place instead of giving them back to the kernel: halves the cost of a fresh instance. */
const TUNED = [
  'pooling-memory-keep-resident=2097152',
  'pooling-table-keep-resident=65536',
  'pooling-async-stack-keep-resident=65536',
  'pooling-max-unused-warm-slots=1000',
  'pooling-pagemap-scan=y',
].flatMap((option) => ['-O', option]);

/** `wasmtime serve` with the shop's function as a component: fresh instances as shipped, tuned, and instances used again. */
export async function wasmtimePeers(materials: Materials): Promise<Peer[]> {
  const tools = await wasmtimeTools();
  let missing = 'missing' in tools ? tools.missing : null;
  let component = '';
  if ('wasmTools' in tools) {
    try {
      component = await buildComponent(tools.wasmTools, materials.shop);
    } catch (error) {
      missing = `the component could not be built: ${firstLine(error)}`;
    }
  }
  const peer = (name: string, does: string, flags: readonly string[], quick: boolean): Peer => ({
    name,
    does,
    path: '/',
    quick,
    missing,
    start: async () => {
      const port = await freePort();
      const program = 'wasmtime' in tools ? tools.wasmtime : 'wasmtime';
      const command = [program, 'serve', '--addr', `127.0.0.1:${port}`, ...flags, component];
      return { port, server: launch(materials.scratch, `wasmtime-${port}`, command) };
    },
  });
  return [
    peer('wasmtime serve, fresh', 'bare handler, same function, new instance each request', [], true),
    peer('wasmtime serve, fresh, tuned', 'the same with pooling flags', TUNED, true),
    peer(
      'wasmtime serve, reused',
      'the same, an instance serves 1,000 requests: state shared',
      ['--max-instance-reuse-count', '1000'],
      false,
    ),
  ];
}

/** function.ts and component.ts → core.wasm, all in `folder`, with the features that the SDK is built with. */
export async function compileCore(folder: string): Promise<void> {
  cpSync(join(COMPONENT, 'component.ts'), join(folder, 'component.ts'));
  const { error, stderr } = await asc.main(
    ['component.ts', '--baseDir', folder, '--outFile', 'core.wasm', ...CORE_FLAGS],
    {
      readFile: (name, base) => readIfThere(name.startsWith('/') ? name : join(base, name)),
      writeFile: (name, content, base) => writeFileSync(join(base, name), content),
      listFiles: () => [],
    },
  );
  if (error !== null) throw new Error(stderr.toString(), { cause: error });
}

/** function.ts → component.wasm in `folder`: wasm-tools wraps the core module. */
async function buildComponent(wasmTools: string, folder: string): Promise<string> {
  const at = (name: string): string => join(folder, name);
  await compileCore(folder);
  const { stdout } = await run(wasmTools, ['print', at('core.wasm')], { maxBuffer: 1 << 26 });
  writeFileSync(
    at('core.wat'),
    stdout.replace('(export "serve"', '(export "wasi:http/incoming-handler@0.2.4#handle"'),
  );
  const wit = join(COMPONENT, 'wit');
  await run(wasmTools, [
    'component',
    'embed',
    wit,
    at('core.wat'),
    '--world',
    'order',
    '-o',
    at('embedded.wasm'),
  ]);
  await run(wasmTools, ['component', 'new', at('embedded.wasm'), '-o', at('component.wasm')]);
  return at('component.wasm');
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
