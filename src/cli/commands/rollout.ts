/** rollout: what becomes of a new revision that is on its way. */
import { Command } from 'commander';
import { functionPath } from '../admin/client.ts';
import { connect, defineClientCommand } from '../admin/command.ts';
import type { ConnectionOptions } from '../admin/connection.ts';
import { formatRollout } from '../admin/format.ts';
import { defineCommand, type Example } from '../define.ts';
import type { Shell } from '../shell.ts';
import { printResult } from '../ui/report.ts';

const ORDERS: readonly (readonly [order: string, description: string, example: Example])[] = [
  [
    'pause',
    'Leave the traffic as it is, whatever the new revision does.',
    ['mayfly rollout pause orders', 'stay at the present share'],
  ],
  [
    'resume',
    'Go on; the step begins again.',
    ['mayfly rollout resume orders', 'watch and move on by itself again'],
  ],
  [
    'promote',
    'Give the new revision all requests now.',
    ['mayfly rollout promote orders', 'do not wait for the steps that are left'],
  ],
  [
    'abort',
    'Give the revision before all requests again.',
    ['mayfly rollout abort orders', 'back to the old one, now'],
  ],
];

export function rolloutCommand(shell: Shell): Command {
  const group = defineCommand('rollout', 'Steer the rollout of a new revision.', [
    ['mayfly inspect orders', 'how far it is'],
    ['mayfly rollout pause orders', 'leave it there'],
  ]);
  for (const [order, description, example] of ORDERS) {
    group.addCommand(
      defineClientCommand(order, description, [example])
        .argument('<name>', 'of the function')
        .action((name: string, options: ConnectionOptions) => steer(shell, name, order, options)),
    );
  }
  return group;
}

async function steer(shell: Shell, name: string, order: string, options: ConnectionOptions): Promise<void> {
  const { rolloutAnswer } = await import('../../control/admin/schemas.ts');
  const client = await connect(shell, options);
  const answer = await client.call(functionPath(name, 'rollout'), rolloutAnswer, { json: { order } });
  printResult(
    shell.terminal,
    answer,
    ({ rollout }, paint) => `${paint('green', 'ok')} ${formatRollout(rollout)}\n`,
  );
}
