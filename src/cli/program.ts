/** The command line as a whole: which commands there are, in the order of the help. */
import { Command } from 'commander';
import { VERSION } from '../model/version.ts';
import { buildCommand } from './commands/build.ts';
import { checkCommand } from './commands/check.ts';
import { serveCommand } from './commands/serve.ts';
import { tokenCommand } from './commands/token.ts';
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
  program.commandsGroup('Write:');
  for (const make of [checkCommand, buildCommand]) program.addCommand(make(shell));
  program.commandsGroup('Run:');
  for (const make of [serveCommand, tokenCommand]) program.addCommand(make(shell));
  return program;
}
