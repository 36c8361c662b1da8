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
    return error.exitCode === 0 ? 0 : printError(terminal, usageError(error, commandIn(program, argv)));
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

/** The innermost command that the words name: `mayfly image push`. */
function commandIn(program: Command, argv: readonly string[]): Command {
  let command = program;
  for (const word of argv.filter((each) => !each.startsWith('-'))) {
    const inner = command.commands.find((each) => each.name() === word);
    if (inner === undefined) break;
    command = inner;
  }
  return command;
}

function usageError({ message, code }: CommanderError, command: Command): MayflyError {
  const text = message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/\.$/, '');
  const names = [command.name()];
  for (let outer = command.parent; outer !== null; outer = outer.parent) names.unshift(outer.name());
  const name = names.join(' ');
  return new MayflyError(code === 'commander.help' ? 'A command is missing' : text, {
    fix:
      command.commands.length > 0
        ? `${name} --help lists the commands; ${name} COMMAND --help tells what one takes.`
        : `Write it as ${name} ${command.usage()}; ${name} --help tells more.`,
    exitCode: 2,
    code: 'usage',
  });
}
