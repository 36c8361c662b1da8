/** A C program of this folder, linked statically so that it runs in an image that holds nothing else. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Recipe } from './recipe.ts';

export function cProgram(source: string): Pick<Recipe, 'needs' | 'inputs' | 'bring'> {
  const file = join(import.meta.dirname, source);
  return {
    needs: ['cc'],
    inputs: ['c', readFileSync(file, 'utf8')],
    bring: async (site) => {
      const target = join(site.making, basename(source, '.c'));
      await site.run('cc', ['-Os', '-static', '-s', '-o', target, file]);
    },
  };
}
