/** Programs of Go modules, built by the machine's own Go. Go checks every module against the public checksum database. */
import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Recipe, Site } from './recipe.ts';

const SMALL = ['-trimpath', '-buildvcs=false', '-mod=mod'];
const STATIC = { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' };

/** One command of one module at an exact version; replacements that its own go.mod makes are not used. */
export function goCommand(command: string, version: string): Pick<Recipe, 'needs' | 'inputs' | 'bring'> {
  const name = command
    .replace(/\/v\d+$/, '')
    .split('/')
    .at(-1) as string;
  return {
    needs: ['go'],
    inputs: ['go', command, version],
    bring: async (site) => {
      const go = goIn(site, site.scratch);
      writeFileSync(join(site.scratch, 'go.mod'), 'module part\n');
      await go('get', `${command}@${version}`);
      await go('build', ...SMALL, '-ldflags=-s -w', '-o', join(site.making, name), command);
    },
  };
}

/** A program of ours (`NAME/main.go`) over one module. */
export function goProgram(
  name: string,
  module: string,
  version: string,
): Pick<Recipe, 'needs' | 'inputs' | 'bring'> {
  const main = join(import.meta.dirname, name, 'main.go');
  return {
    needs: ['go'],
    inputs: ['go program', module, version, readFileSync(main, 'utf8')],
    bring: async (site) => {
      const go = goIn(site, site.scratch);
      writeFileSync(join(site.scratch, 'go.mod'), 'module part\n');
      copyFileSync(main, join(site.scratch, 'main.go'));
      await go('get', `${module}@${version}`);
      await go('build', ...SMALL, '-ldflags=-s -w', '-o', join(site.making, name), '.');
    },
  };
}

/**
 * Programs of one module, by its own go.mod with the replacements that it makes, and folders of it. `programs`: name → folder.
 */
export function goModule(
  module: string,
  version: string,
  {
    programs,
    folders,
  }: { readonly programs: Readonly<Record<string, string>>; readonly folders: readonly string[] },
): Pick<Recipe, 'needs' | 'inputs' | 'bring'> {
  return {
    needs: ['go'],
    inputs: ['go module', module, version, JSON.stringify(programs), ...folders],
    bring: async (site) => {
      const go = goIn(site, site.scratch);
      const files = await downloaded(site, go, `${module}@${version}`);
      const copy = join(site.scratch, 'module');
      cpSync(files, copy, { recursive: true });
      // Go's module cache is read-only.
      await site.run('chmod', ['-R', 'u+w', copy], { cwd: site.scratch });
      const within = goIn(site, copy);
      for (const [name, folder] of Object.entries(programs))
        await within('build', ...SMALL, '-ldflags=-s -w', '-o', join(site.making, name), folder);
      for (const folder of folders)
        cpSync(join(copy, folder), join(site.making, basename(folder)), { recursive: true });
    },
  };
}

/** A folder of a module that is no program, such as its definitions of Kubernetes kinds. */
export function goModuleFolder(
  module: string,
  version: string,
  folder: string,
): Pick<Recipe, 'needs' | 'inputs' | 'bring'> {
  return {
    needs: ['go'],
    inputs: ['go files', module, version, folder],
    bring: async (site) => {
      const go = goIn(site, site.scratch);
      const files = await downloaded(site, go, `${module}@${version}`);
      cpSync(join(files, folder), join(site.making, basename(folder)), { recursive: true });
      // Go's module cache is read-only; what lies in ours must be removable.
      await site.run('chmod', ['-R', 'u+w', site.making], { cwd: site.making });
    },
  };
}

/**
 * Kubernetes' API server, controller manager, scheduler, kubelet and proxy as one program (kube/main.go).
 * Kubernetes' own go.mod takes its libraries from a folder beside it; the same libraries are published as modules
 * of the same release, so its requirements and checksums are used as they are, with only those paths changed.
 */
export function kubernetes(version: string): Pick<Recipe, 'needs' | 'inputs' | 'bring'> {
  const main = join(import.meta.dirname, 'kube', 'main.go');
  return {
    needs: ['go'],
    inputs: ['kubernetes', readFileSync(main, 'utf8')],
    bring: async (site) => {
      const go = goIn(site, site.scratch);
      const release = `k8s.io/kubernetes@v${version}`;
      const upstream = await downloaded(site, go, release);
      const requirements = publishedLibraries(readFileSync(join(upstream, 'go.mod'), 'utf8'), version);
      writeFileSync(join(site.scratch, 'go.mod'), requirements);
      copyFileSync(join(upstream, 'go.sum'), join(site.scratch, 'go.sum'));
      copyFileSync(main, join(site.scratch, 'main.go'));
      await go('mod', 'edit', '-require', release);
      const flags = ['-tags=providerless', `-ldflags=-s -w ${versionFlags(version)}`];
      await go('build', ...SMALL, ...flags, '-o', join(site.making, 'kube'), '.');
    },
  };
}

/** go.mod of Kubernetes 1.x.y with its "./staging" folders replaced by the modules v0.x.y. */
export function publishedLibraries(goMod: string, version: string): string {
  const library = `v0.${version.split('.').slice(1).join('.')}`;
  return goMod
    .replace(/^module .*/m, 'module part')
    .replaceAll(/=> \.\/staging\/src\/(k8s\.io\/[a-z-]+)/g, `=> $1 ${library}`)
    .replaceAll(/^(\s+k8s\.io\/[a-z-]+) v0\.0\.0(?= |$)/gm, `$1 ${library}`);
}

function versionFlags(version: string): string {
  const [major, minor] = version.split('.');
  const values = [
    `gitVersion=v${version}`,
    `gitMajor=${major}`,
    `gitMinor=${minor}`,
    'gitTreeState=clean',
    'buildDate=1970-01-01T00:00:00Z',
  ];
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
    .flatMap((place) => values.map((value) => `-X ${place}.${value}`))
    .join(' ');
}

type Go = (...args: string[]) => Promise<string>;

/** `release`: module@version. Answers the folder of its files, which are read-only. */
async function downloaded(site: Site, go: Go, release: string): Promise<string> {
  writeFileSync(join(site.scratch, 'go.mod'), 'module part\n');
  return (JSON.parse(await go('mod', 'download', '-json', release)) as { Dir: string }).Dir;
}

function goIn(site: Site, cwd: string): Go {
  return (...args) => site.run('go', args, { cwd, env: STATIC });
}
