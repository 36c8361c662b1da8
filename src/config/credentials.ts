/**
 * Variables that are files, so that they can change while the process runs: the folder that `$CREDENTIALS_DIRECTORY` names has
 * a file for each, called like the variable (the convention of systemd.exec(5), "Credentials"; Kubernetes mounts Secrets so).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from './substitute.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** null: there is no such folder. */
export function credentialsFolder(env: Environment): string | null {
  const folder = env['CREDENTIALS_DIRECTORY'];
  return folder === undefined || folder === '' ? null : folder;
}

/** What the files hold, byte for byte, as text. Throws what the file system throws. */
export function readCredentials(folder: string | null): Environment {
  if (folder === null) return {};
  const names = readdirSync(folder).filter((name) => NAME.test(name));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}
