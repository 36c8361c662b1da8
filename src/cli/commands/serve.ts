import type { Command } from 'commander';
import { defineCommand } from '../define.ts';
import type { Shell } from '../shell.ts';

export interface ListenOptions {
  readonly port?: string;
  readonly host?: string;
}

export function serveCommand(shell: Shell): Command {
  const command = defineCommand('serve', 'Serve the functions of a configuration. Ctrl-C ends it gently.', [
    ['mayfly serve', 'serve mayfly.yaml of this folder'],
    ['mayfly serve shop --port 8000', 'serve shop/mayfly.yaml on another port'],
    ['mayfly serve --json | head -1 | jq .addresses', 'its addresses, for programs'],
  ]);
  return withListenOptions(command)
    .argument('[path]', 'configuration file, or its folder', '.')
    .action(async (path: string, options: ListenOptions) => {
      const { printOverview, runServer } = await import('../serving/run-server.ts');
      const server = await runServer({ path, terminal: shell.terminal, overrides: listenOverrides(options) });
      printOverview(shell.terminal, server.overview);
      await server.ended;
    });
}

export function withListenOptions(command: Command): Command {
  return command
    .option('-p, --port <port>', 'port of the gateway instead of server.port')
    .option('--host <host>', 'address to listen on instead of server.host');
}

/** The variables that override the file. */
export function listenOverrides({ port, host }: ListenOptions): Record<string, string | undefined> {
  return { PORT: port, MAYFLY_HOST: host };
}
