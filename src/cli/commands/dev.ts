import type { Command } from 'commander';
import { defineCommand } from '../define.ts';
import type { Shell } from '../shell.ts';
import { type ListenOptions, listenOverrides, withListenOptions } from './serve.ts';

export function devCommand(shell: Shell): Command {
  const command = defineCommand(
    'dev',
    'Serve, build again on every change, and show each request with its times.',
    [
      ['mayfly dev', 'work on the functions of this folder'],
      ['mayfly dev shop --port 3000', 'on another port'],
    ],
  );
  return withListenOptions(command)
    .argument('[path]', 'configuration file, or its folder', '.')
    .action(async (path: string, options: ListenOptions) => {
      const { develop } = await import('../serving/develop.ts');
      await develop({ path, terminal: shell.terminal, overrides: listenOverrides(options) });
    });
}
