/** Rust programs, built by the machine's own cargo with the exact dependencies of their lock files. */
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { buildTools, headers, libraries, loader } from './debian.ts';
import { locked } from './lock.ts';
import type { Recipe, Site } from './recipe.ts';

/** A program of crates.io with the lock file that its makers published. */
export function crate(name: string, version: string): Pick<Recipe, 'needs' | 'inputs' | 'bring'> {
  return {
    needs: ['cargo', 'cc'],
    inputs: ['crate', name, version],
    bring: async (site) => {
      const flags = ['--version', version, '--locked', '--no-track', '--root', site.making];
      await site.run('cargo', ['install', name, ...flags], {
        env: { CARGO_TARGET_DIR: join(site.scratch, 'target') },
      });
    },
  };
}

const BUILD_TOOLS = ['protobuf-compiler', 'libprotobuf-dev', 'libclang-dev', 'libseccomp-dev'];
const SHIM = join(import.meta.dirname, '../../deploy/shim');

/**
 * The shim of deploy/shim against the WasmEdge library of the `containers` part. That library wants a newer libc than
 * the machine may have, so the program gets that part's loader and search path written into it: a wrapper script would
 * not do, because a shim starts itself again by /proc/self/exe.
 */
export function shim(): Pick<Recipe, 'needs' | 'inputs' | 'uses' | 'bring'> {
  const files = globSync('{Cargo.toml,Cargo.lock,src/*.rs}', { cwd: SHIM }).toSorted();
  return {
    needs: ['cargo', 'rustc', 'cc', 'apt-get', 'dpkg-deb', 'flock'],
    inputs: ['shim', ...files.map((file) => readFileSync(join(SHIM, file), 'utf8'))],
    uses: ['containers'],
    // What is compiled outlives a build that is interrupted, and a change of the shim takes seconds.
    bring: (site) => {
      const yard = join(site.downloads, 'shim-build');
      return locked(`${yard}.lock`, () => buildShim(site, yard));
    },
  };
}

async function buildShim(site: Site, yard: string): Promise<void> {
  const prefix = site.used['containers'] as string;
  const tools = await buildTools(site, BUILD_TOOLS, join(yard, 'tools'));
  const include = join(await headers(site, ['libwasmedge-dev'], join(yard, 'headers')), 'usr/include');
  const [clang] = globSync(join(tools, 'usr/lib/llvm-*/lib'));
  const [clangHeaders] = globSync(join(clang as string, 'clang/*/include'));
  // Alone in a folder: beside it in the prefix are a libc and others that must not be linked at build time.
  const alone = join(yard, 'wasmedge');
  rmSync(alone, { recursive: true, force: true });
  mkdirSync(alone);
  symlinkSync(join(prefix, libraries, 'libwasmedge.so.0'), join(alone, 'libwasmedge.so'));
  const target = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-unknown-linux-gnu`;
  const flags = [
    `-Clink-arg=-Wl,--dynamic-linker=${join(prefix, loader)}`,
    `-Clink-arg=-Wl,-rpath,${join(prefix, libraries)}`,
    '-Clink-arg=-Wl,--allow-shlib-undefined',
  ];
  const output = join(yard, 'target');
  await site.run('cargo', ['build', '--release', '--locked', '--target', target, '--target-dir', output], {
    cwd: SHIM,
    env: {
      RUSTFLAGS: flags.join(' '),
      WASMEDGE_LIB_DIR: alone,
      WASMEDGE_INCLUDE_DIR: include,
      LIBCLANG_PATH: clang as string,
      BINDGEN_EXTRA_CLANG_ARGS: `-I${clangHeaders}`,
      PROTOC: join(tools, 'usr/bin/protoc'),
      PROTOC_INCLUDE: join(tools, 'usr/include'),
      LIBSECCOMP_LINK_TYPE: 'static',
      LIBSECCOMP_LIB_PATH: join(tools, libraries),
      LD_LIBRARY_PATH: join(tools, libraries),
    },
  });
  const name = 'containerd-shim-wasmedge-v1';
  copyFileSync(join(output, target, 'release', name), join(site.making, name));
}
