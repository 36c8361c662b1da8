import { findPackageJSON } from 'node:module';
import { dirname } from 'node:path';

/** Folder of the installed package: the clone, or `node_modules/mayfly`. What is not code (sdk/, assets/, examples/) lies in it. */
export const PACKAGE_ROOT: string = findRoot();

function findRoot(): string {
  const file = findPackageJSON(import.meta.url);
  if (file === undefined) throw new Error('The package of Mayfly cannot be found');
  return dirname(file);
}
