/** How every command is defined: name, one sentence, examples, `--json`. */
import { Command, InvalidArgumentError } from 'commander';

const examples = new WeakMap<Command, readonly Example[]>();

/** A command line as people type it, and what it does. */
export type Example = readonly [line: string, meaning: string];

export function defineCommand(name: string, description: string, shown: readonly Example[]): Command {
  const command = new Command(name).description(description);
  examples.set(command, shown);
  return command
    .option('--json', 'print one JSON value on stdout and nothing else')
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', () => `\nExamples:\n${formatExamples(shown)}`);
}

export function examplesOf(command: Command): readonly Example[] {
  return examples.get(command) ?? [];
}

function formatExamples(shown: readonly Example[]): string {
  return shown.map(([line, meaning]) => `  $ ${line}\n      ${meaning}\n`).join('');
}

/** For options that may be given several times. */
export function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

/** A whole number within bounds, as the parser of an option or argument. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
  };
}
