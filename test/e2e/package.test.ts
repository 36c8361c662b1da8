/** What `npm pack` gives runs in an empty folder elsewhere, on emitted JavaScript alone. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { Compiler } from '../../src/build/compiler.ts';
import { mayfly, startServer, type CommandLine } from '../support/cli.ts';
import { makeTestFolder, type TestFolder } from '../support/folder.ts';

const root = join(import.meta.dirname, '../..');

let folder: TestFolder;
let options: CommandLine;

before(() => {
  folder = makeTestFolder();
  // The folder of the Node that the package depends on comes first, as in a script that npm runs.
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  execFileSync('npm', ['pack', '--pack-destination', folder.path], { cwd: root, env, stdio: 'pipe' });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  execFileSync('tar', ['-xzf', `mayfly-${version}.tgz`], { cwd: folder.path });
  install(join(folder.path, 'package'), join(folder.path, 'app'));
  options = {
    cwd: join(folder.path, 'app'),
    launcher: join(folder.path, 'app/node_modules/mayfly/bin/mayfly.js'),
    env: { XDG_STATE_HOME: join(folder.path, 'user-state') },
  };
});
after(() => folder[Symbol.dispose]());

/** As `npm install` lays it out, with nothing but what the package itself depends on; offline. */
function install(unpacked: string, app: string): void {
  const modules = join(app, 'node_modules');
  mkdirSync(modules, { recursive: true });
  renameSync(unpacked, join(modules, 'mayfly'));
  const manifest = JSON.parse(readFileSync(join(modules, 'mayfly/package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
}

test('the package has no sources, no tests and nothing hidden', () => {
  const listing = execFileSync(
    'find',
    ['.', '-name', '*.ts', '-o', '-name', '.*', '-o', '-name', '*.test.*'],
    {
      cwd: join(folder.path, 'app/node_modules/mayfly'),
      encoding: 'utf8',
    },
  );
  const wrong = listing.split('\n').filter((file) => !/^(\.?|\.\/(sdk|dist\/templates)\/.*\.ts)$/.test(file));
  assert.deepEqual(wrong, []);
});

test('init, build and serve answer a request', async () => {
  assert.match((await mayfly(['--version'], options)).out, /^\d+\.\d+\.\d+\n$/);
  assert.equal((await mayfly(['init', 'greeter'], options)).code, 0);
  const built = await mayfly(['build', 'greeter'], options);
  assert.deepEqual([built.code, built.err], [0, '']);
  freePorts('greeter');
  await using server = await startServer(['serve', 'greeter'], options);
  const response = await fetch(server.overview.addresses.gateway);
  assert.deepEqual([response.status, await response.text()], [200, 'Hello from Mayfly\n']);
  const metrics = await (await fetch(`${server.overview.addresses.metrics}/metrics`)).text();
  assert.match(metrics, /^mayfly_/m);
  server.signal('SIGTERM');
  assert.equal(await server.ended, 0);
});

test('the server of pods came along, as the sources give it, and is linked without a compiler', async () => {
  const packed = readFileSync(join(folder.path, 'app/node_modules/mayfly/dist/pod-server.wasm'));
  await using compiler = new Compiler('server');
  const { wasm } = await compiler.compile(join(root, 'pod/assembly/index.ts'));
  assert.ok(wasm !== null && packed.equals(wasm), 'npm run build');
  assert.equal((await mayfly(['init', 'pod'], options)).code, 0);
  const built = await mayfly(['build', 'pod', '--target', 'wasmedge', '--out', 'pod.wasm'], options);
  assert.deepEqual([built.code, built.err], [0, '']);
  assert.ok(WebAssembly.validate(readFileSync(join(folder.path, 'app/pod.wasm'))));
});

test('the policy compiler came along', async () => {
  assert.equal((await mayfly(['init', 'shop', '--template', 'flash-sale'], options)).code, 0);
  const checked = await mayfly(['check', 'shop'], options);
  assert.deepEqual([checked.code, checked.err], [0, '']);
  assert.match(checked.out, /its policy compiles/);
});

function freePorts(name: string): void {
  const file = join(folder.path, 'app', name, 'mayfly.yaml');
  const ports = 'server: { port: 0, host: 127.0.0.1 }\nmonitoring: { metrics_port: 0 }\nadmin: { port: 0 }\n';
  folder.write(`app/${name}/mayfly.yaml`, readFileSync(file, 'utf8') + ports);
}
