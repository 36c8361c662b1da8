/** Commands that speak to a running server have the same options to find it. */
import type { Command } from 'commander';
import { defineCommand, type Example } from '../define.ts';
import type { Shell } from '../shell.ts';
import type { AdminClient } from './client.ts';
import type { ConnectionOptions } from './connection.ts';

export function defineClientCommand(
  name: string,
  description: string,
  examples: readonly Example[],
): Command {
  return defineCommand(name, description, examples)
    .option('--admin <url>', 'address of the admin API (or MAYFLY_ADMIN)')
    .option('--token-file <file>', 'file with its token (or MAYFLY_ADMIN_TOKEN: the token itself)')
    .option(
      '--config <path>',
      'configuration of the server, or its folder (default: this folder, or the server that runs)',
    );
}

export async function connect({ terminal }: Shell, options: ConnectionOptions): Promise<AdminClient> {
  const { findServer } = await import('./connection.ts');
  const { createAdminClient } = await import('./client.ts');
  return createAdminClient(findServer(options, terminal.env));
}
