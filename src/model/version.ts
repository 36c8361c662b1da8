import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

/** Version of the installed package, as in package.json. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const file = findPackageJSON(import.meta.url);
  return file === undefined ? '0.0.0' : (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
