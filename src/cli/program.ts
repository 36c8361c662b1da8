/** The command line as a whole: which commands there are, in the order of the help. */
import { Command } from 'commander';
import { VERSION } from '../model/version.ts';
import { buildCommand } from './commands/build.ts';
import { checkCommand } from './commands/check.ts';
import { clusterCommand } from './commands/cluster.ts';
import { completionCommand } from './commands/completion.ts';
import { deployCommand } from './commands/deploy.ts';
import { devCommand } from './commands/dev.ts';
import { exportCommand } from './commands/export.ts';
import { imageCommand } from './commands/image.ts';
import { initCommand } from './commands/init.ts';
import { inspectCommand } from './commands/inspect.ts';
import { invokeCommand } from './commands/invoke.ts';
import { listCommand } from './commands/list.ts';
import { logsCommand } from './commands/logs.ts';
import { operatorCommand } from './commands/operator.ts';
import { policyCommand } from './commands/policy.ts';
import { reloadCommand } from './commands/reload.ts';
import { removeCommand } from './commands/remove.ts';
import { rolloutCommand } from './commands/rollout.ts';
import { serveCommand } from './commands/serve.ts';
import { statusCommand } from './commands/status.ts';
import { tokenCommand } from './commands/token.ts';
import { promoteCommand, rollbackCommand } from './commands/traffic.ts';
import type { Shell } from './shell.ts';

export const EXIT_CODES = [
  [0, 'It worked.'],
  [1, 'It failed: a build, a port in use, a test, an answer of 400 or above.'],
  [2, 'It was asked wrongly: usage or configuration.'],
] as const;

export function createProgram(shell: Shell): Command {
  const program = new Command('mayfly')
    .description('WebAssembly functions that live for exactly one request.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command');
  for (const [heading, commands] of Object.entries(GROUPS)) {
    program.commandsGroup(heading);
    for (const make of commands) program.addCommand(make(shell));
  }
  return program;
}

const GROUPS: Readonly<Record<string, readonly ((shell: Shell) => Command)[]>> = {
  'Write functions:': [initCommand, devCommand, buildCommand, checkCommand],
  'Serve them:': [serveCommand, tokenCommand],
  'Speak to a running server:': [
    deployCommand,
    listCommand,
    inspectCommand,
    invokeCommand,
    logsCommand,
    rollbackCommand,
    promoteCommand,
    rolloutCommand,
    removeCommand,
    statusCommand,
    reloadCommand,
  ],
  'In a cluster:': [clusterCommand, exportCommand, operatorCommand],
  'Images, policies and the rest:': [imageCommand, policyCommand, completionCommand],
};
