/** The entry of the command line: parse, run, say what failed, set the exit code. */
import { CommanderError, type Command } from 'commander';
import { MayflyError } from '../model/errors.ts';
import { createProgram } from './program.ts';
import type { Shell } from './shell.ts';
import { printError, type Terminal } from './ui/report.ts';

/** `argv` without the program's name. */
export async function main(argv: readonly string[]): Promise<void> {
  const { stdout: out, stderr: err, env } = process;
  process.exitCode = await run(argv, { out, err, env, json: asksForJson(argv) });
}

/** Runs one command line; answers the exit code of the process. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const shell: Shell = { terminal, exitCode: 0 };
  const program = createProgram(shell);
  adapt(program, terminal);
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : argv, { from: 'user' });
    return shell.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return printError(terminal, error);
    return error.exitCode === 0 ? 0 : printError(terminal, usageError(error));
  }
}

/** Known before the command line is parsed, so that also its own mistakes are told as JSON. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}

/** Help and version go to the terminal that was given; errors come to us as exceptions. */
function adapt(command: Command, { out, err }: Terminal): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => out.write(text),
    writeErr: (text) => err.write(text),
    outputError: () => {},
  });
  command.commands.forEach((inner) => adapt(inner, { out, err } as Terminal));
}

function usageError({ message, code }: CommanderError): MayflyError {
  const text = message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/\.$/, '');
  return new MayflyError(code === 'commander.help' ? 'A command is missing' : text, {
    fix: 'mayfly --help lists the commands; mayfly COMMAND --help tells what one takes.',
    exitCode: 2,
    code: 'usage',
  });
}
