import { dirname, join } from 'node:path';
import { besideConfig, statOf } from './files.ts';
import type { Config } from './load.ts';
import type { WatchTargets } from './watch.ts';

/** What a running server follows: the configuration, and the files whose content it took in. Sources are not among them. */
export function watchTargets({ file, directory, settings, credentials }: Config): WatchTargets {
  const { server, security, policy } = settings;
  const { ca_file, keys } = security.images;
  const named = [server.tls?.certificate, server.tls?.key, security.jwks_file, policy.data, ca_file, ...keys]
    .filter((path) => path !== undefined)
    .map((path) => besideConfig(directory, path));
  const files = [file, join(directory, '.env'), ...named];
  const folders: string[] = [];
  for (const pattern of policy.files) {
    const path = besideConfig(directory, pattern);
    const stat = statOf(path);
    if (stat?.isFile() === true) files.push(path);
    else folders.push(stat?.isDirectory() === true ? path : fixedPart(path));
  }
  return { files, folders, flat: credentials === null ? [] : [credentials] };
}

/** The folder in front of the first wildcard. */
function fixedPart(glob: string): string {
  const wildcard = glob.search(/[*?[{]/);
  return wildcard < 0 ? dirname(glob) : dirname(`${glob.slice(0, wildcard)}x`);
}
