import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { findConfigFile } from '../../config/files.ts';
import { loadConfig } from '../../config/load.ts';
import { resolveConfig } from '../../config/resolve.ts';

import { collect, defineCommand } from '../define.ts';
import type { Shell } from '../shell.ts';
import { durationOption, makeToken, readClaims } from '../token.ts';
import { theRunningOne } from '../serving/runtime-file.ts';
import { printResult } from '../ui/report.ts';

interface TokenOptions {
  readonly role?: string;
  readonly sub?: string;
  readonly claim: readonly string[];
  readonly expiry?: number;
}

export function tokenCommand(shell: Shell): Command {
  return defineCommand(
    'token',
    'Issue a token for development, signed with the secret of the configuration.',
    [
      ['mayfly token --role user --sub u1 --claim status=active', 'a token for this folder'],
      ['TOKEN=$(mayfly token --role admin shop)', 'one for the configuration in shop/'],
    ],
  )
    .argument(
      '[path]',
      'configuration file, or its folder (default: this folder, or that of the running server)',
    )
    .option('--role <role>', 'the claim `role`')
    .option('--sub <subject>', 'the claim `sub`: who it is')
    .option('--claim <name=value>', 'any other claim; a value that is JSON is taken as such', collect, [])
    .option(
      '--expiry <duration>',
      'how long it is valid, such as 15m (default: security.token_expiry)',
      durationOption,
    )
    .action((path: string | undefined, options: TokenOptions) => token(shell, path, options));
}

async function token({ terminal }: Shell, path: string | undefined, options: TokenOptions): Promise<void> {
  const resolved = resolveConfig(loadConfig(path ?? usualPlace(terminal.env), terminal.env));
  const { role, sub } = options;
  const claims = { ...(role && { role }), ...(sub && { sub }), ...readClaims(options.claim) };
  const made = await makeToken(resolved, claims, options.expiry);
  printResult(terminal, made, () => `${made.token}\n`);
}

/** This folder, or else the configuration of the server that runs. */
function usualPlace(env: Shell['terminal']['env']): string {
  return existsSync(findConfigFile('.')) ? '.' : (theRunningOne(env)?.config ?? '.');
}
