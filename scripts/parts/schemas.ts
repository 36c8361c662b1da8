/** JSON Schemas that refer to each other by file name, so that they can be used without a network. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Recipe } from './recipe.ts';

type Bringing = Pick<Recipe, 'needs' | 'inputs' | 'bring'>;

/** The same files without their public names (`$id`), and with references relative to the folder. */
export function withRelativeReferences(files: Bringing): Bringing {
  return {
    ...files,
    inputs: [...files.inputs, 'references are relative'],
    bring: async (site) => {
      await files.bring(site);
      for (const file of globSync('**/*.json', { cwd: site.making })) {
        const path = join(site.making, file);
        writeFileSync(path, relative(readFileSync(path, 'utf8')));
      }
    },
  };
}

export function relative(schema: string): string {
  const { $id: _, ...rest } = JSON.parse(schema) as Record<string, unknown>;
  return JSON.stringify(rest).replaceAll('"$ref":"/api/_definitions.json', '"$ref":"_definitions.json');
}
