import type { Command } from 'commander';
import { MayflyError } from '../../model/errors.ts';
import { functionPath } from '../admin/client.ts';
import { connect, defineClientCommand } from '../admin/command.ts';
import type { ConnectionOptions } from '../admin/connection.ts';
import { collect } from '../define.ts';
import { readInput } from '../input.ts';
import type { Shell } from '../shell.ts';
import { printResult } from '../ui/report.ts';
import { paintFor, printable } from '../ui/terminal.ts';

interface InvokeOptions extends ConnectionOptions {
  readonly method?: string;
  readonly path?: string;
  readonly header: readonly string[];
  readonly data?: string;
}

const FAILED = 400;

export function invokeCommand(shell: Shell): Command {
  return defineClientCommand('invoke', 'Send one request to a function, through all stages of the gateway.', [
    ['mayfly invoke hello', 'GET its first route'],
    [
      'mayfly invoke orders --path /api/function --data @order.json --header "Authorization: Bearer $TOKEN"',
      'POST a file',
    ],
  ])
    .argument('<name>', 'of the function')
    .option('-X, --method <method>', 'default: GET, or POST with --data')
    .option('--path <path>', 'with query (default: that of its first route)')
    .option('-H, --header <name: value>', 'a header field; repeatable', collect, [])
    .option('-d, --data <text>', 'the body; @FILE reads a file, @- stdin')
    .action((name: string, options: InvokeOptions) => invoke(shell, name, options));
}

async function invoke(shell: Shell, name: string, options: InvokeOptions): Promise<void> {
  const { terminal } = shell;
  const { invocationResult } = await import('../../control/admin/schemas.ts');
  const { method, path, header, data } = options;
  const body =
    data === undefined
      ? undefined
      : data.startsWith('@')
        ? await readInput(data.slice(1))
        : Buffer.from(data);
  const order = {
    method: (method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase(),
    ...(path !== undefined && { path }),
    headers: Object.fromEntries(header.map(parseHeader)),
    ...(body !== undefined && { body: body.toString('base64'), encoding: 'base64' }),
  };
  const client = await connect(shell, options);
  const result = await client.call(functionPath(name, 'invoke'), invocationResult, { json: order });
  if (result.status >= FAILED) shell.exitCode = 1;
  const { out, err, env, json } = terminal;
  if (json) return printResult(terminal, result, () => '');
  const bytes = Buffer.from(result.body, result.encoding);
  const colour = result.status >= FAILED ? 'red' : 'green';
  err.write(`${paintFor(err, env)(colour, String(result.status))} in ${result.milliseconds} ms\n`);
  // A terminal gets no control characters of a guest; a pipe gets the bytes as they are.
  if (out.isTTY === true) out.write(`${result.body.split('\n').map(printable).join('\n')}\n`);
  else out.write(bytes);
}

function parseHeader(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) {
    throw new MayflyError('A header must be "name: value"', {
      where: text.slice(0, 20),
      exitCode: 2,
      code: 'usage',
    });
  }
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}
