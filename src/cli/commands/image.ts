import { Command } from 'commander';
import type { Shell } from '../shell.ts';
import { imageBuildCommand } from './image-build.ts';
import { imagePullCommand, imagePushCommand } from './image-copy.ts';
import { imageInspectCommand } from './image-inspect.ts';
import { imageKeygenCommand, imageSignCommand, imageVerifyCommand } from './image-sign.ts';

export function imageCommand(shell: Shell): Command {
  const command = new Command('image')
    .description('Build, carry, sign and check OCI images, without Docker.')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false);
  const inner = [
    imageBuildCommand,
    imagePushCommand,
    imagePullCommand,
    imageInspectCommand,
    imageSignCommand,
    imageVerifyCommand,
    imageKeygenCommand,
  ];
  for (const make of inner) command.addCommand(make(shell));
  return command;
}
