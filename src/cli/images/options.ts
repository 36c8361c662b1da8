/** What all image commands share: how to speak to a registry. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { RegistryRepositoryOptions } from '../../artifacts/oci/registry/registry.ts';
import { MayflyError } from '../../model/errors.ts';
import { defineCommand, type Example } from '../define.ts';
import type { Shell } from '../shell.ts';

export interface RegistryFlags {
  readonly plainHttp?: boolean;
  readonly caFile?: string;
}

export function defineImageCommand(name: string, description: string, shown: readonly Example[]): Command {
  return defineCommand(name, description, shown)
    .option('--plain-http', 'speak HTTP without TLS to the registry; one on this machine may do so by itself')
    .option('--ca-file <file>', 'PEM certificates to trust besides the usual ones');
}

export function registryOptions(
  { terminal }: Shell,
  { plainHttp, caFile }: RegistryFlags,
): RegistryRepositoryOptions {
  return { env: terminal.env, plainHttp, ca: caFile === undefined ? null : readText(caFile) };
}

/** Throws MayflyError, exit code 2. */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    throw new MayflyError(`Cannot read: ${reason}`, { where: file, exitCode: 2, code: 'unreadable', cause });
  }
}
