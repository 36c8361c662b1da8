/** The files that a configuration names: which they are, and whether they can be read. */
import { accessSync, constants, globSync, statSync, type Stats } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { isImageSource } from '../model/code-source.ts';
import type { KeyPath } from './document.ts';
import type { Finding } from './explain.ts';
import type { Settings } from './schema.ts';

/** Relative paths count from the configuration file, wherever the command was typed. */
export function besideConfig(directory: string, path: string): string {
  return isAbsolute(path) ? path : resolve(directory, path);
}

/** The Rego files behind `policy.files`, sorted, each once. Folders mean every .rego file below them, without unit tests. */
export function policyFiles(directory: string, patterns: readonly string[]): string[] {
  return [...new Set(patterns.flatMap((pattern) => regoFiles(directory, pattern)))].toSorted();
}

/** What is at `path`, links followed; null when nothing is there or it cannot be reached, for whatever reason. */
export function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function regoFiles(directory: string, pattern: string): string[] {
  const full = besideConfig(directory, pattern);
  const stat = statOf(full);
  if (stat?.isFile() === true) return [full];
  const glob = stat?.isDirectory() === true ? '**/*.rego' : pattern;
  const cwd = stat?.isDirectory() === true ? full : directory;
  return globSync(glob, { cwd })
    .map((file) => besideConfig(cwd, file))
    .filter((file) => file.endsWith('.rego') && !file.endsWith('_test.rego'))
    .filter((file) => statOf(file)?.isFile() === true);
}

export function checkFiles(settings: Settings, directory: string): Finding[] {
  const findings: Finding[] = [];
  const need = (path: KeyPath, file: string | undefined, folders: boolean) => {
    if (file === undefined) return;
    const problem = unreadable(besideConfig(directory, file), folders);
    if (problem !== null) findings.push({ path, message: problem });
  };
  const { tls } = settings.server;
  need(['server', 'tls', 'certificate'], tls?.certificate, false);
  need(['server', 'tls', 'key'], tls?.key, false);
  need(['security', 'jwks_file'], settings.security.jwks_file, false);
  need(['policy', 'data'], settings.policy.data, false);
  need(['fleet', 'ca_file'], settings.fleet?.ca_file, false);
  const { images } = settings.security;
  need(['security', 'images', 'ca_file'], images.ca_file, false);
  for (const [index, key] of images.keys.entries()) need(['security', 'images', 'keys', index], key, false);
  for (const [index, pattern] of settings.policy.files.entries()) {
    if (regoFiles(directory, pattern).length > 0) continue;
    findings.push({ path: ['policy', 'files', index], message: 'names no .rego file that exists' });
  }
  for (const [name, { source, canary }] of Object.entries(settings.functions)) {
    if (source !== undefined && !isImageSource(source)) need(['functions', name, 'source'], source, true);
    if (canary === undefined || isImageSource(canary.source)) continue;
    need(['functions', name, 'canary', 'source'], canary.source, true);
  }
  return findings;
}

function unreadable(file: string, folders: boolean): string | null {
  const stat = statOf(file);
  if (stat === null) return 'names a file that does not exist';
  if (stat.isDirectory() && !folders) return 'names a folder, not a file';
  try {
    accessSync(file, constants.R_OK);
    return null;
  } catch {
    return 'names a file that cannot be read';
  }
}

/** `path` may be the file or the folder that holds it. */
export function findConfigFile(path: string): string {
  if (statOf(path)?.isDirectory() !== true) return path;
  const yml = join(path, 'mayfly.yml');
  const yaml = join(path, 'mayfly.yaml');
  return statOf(yaml) === null && statOf(yml) !== null ? yml : yaml;
}

export function directoryOf(file: string): string {
  return dirname(resolve(file));
}
