import type { Command } from 'commander';
import { formatLogLine } from '../../observability/log-text.ts';
import { functionPath } from '../admin/client.ts';
import { connect, defineClientCommand } from '../admin/command.ts';
import type { ConnectionOptions } from '../admin/connection.ts';
import { wholeNumber } from '../define.ts';
import type { Shell } from '../shell.ts';
import { usesColour } from '../ui/terminal.ts';

interface LogOptions extends ConnectionOptions {
  readonly follow?: boolean;
  readonly lines: number;
}

const LINES = 100;
const MOST_LINES = 1000;

export function logsCommand(shell: Shell): Command {
  return defineClientCommand('logs', 'Show what a function logged; with --json one document a line.', [
    ['mayfly logs orders', `its last ${LINES} lines`],
    ['mayfly logs orders --follow --lines 0', 'new lines as they come, until Ctrl-C'],
  ])
    .argument('<name>', 'of the function')
    .option('-f, --follow', 'go on with new lines')
    .option('-n, --lines <number>', 'how many past lines', wholeNumber(0, MOST_LINES), LINES)
    .action((name: string, options: LogOptions) => logs(shell, name, options));
}

async function logs(shell: Shell, name: string, options: LogOptions): Promise<void> {
  const { out, env, json } = shell.terminal;
  const { logLine } = await import('../../control/admin/schemas.ts');
  const client = await connect(shell, options);
  const query = { lines: options.lines, follow: String(options.follow ?? false) };
  await client.lines(functionPath(name, 'logs'), logLine, { query }, (line) => {
    const { message: msg, ...rest } = line;
    const text = JSON.stringify({ ...rest, msg });
    out.write(json ? `${JSON.stringify(line)}\n` : formatLogLine(text, usesColour(out, env)));
  });
}
