import { Option, type Command } from 'commander';
import { defineCommand } from '../define.ts';
import type { Shell } from '../shell.ts';
import { makeFolder, TEMPLATES } from '../templates.ts';
import { printResult } from '../ui/report.ts';

export function initCommand(shell: Shell): Command {
  return defineCommand('init', 'Make a folder with a function that works at once.', [
    ['mayfly init greeter', 'the smallest function'],
    ['mayfly init shop --template flash-sale', 'a function behind tokens, a policy and limits'],
  ])
    .argument('[folder]', 'where to make it', '.')
    .addOption(new Option('-t, --template <name>', 'what to begin with').choices(TEMPLATES).default('hello'))
    .action((folder: string, { template }: { template: string }) => {
      const made = makeFolder(folder, template);
      printResult(shell.terminal, { folder: made.folder, template, files: made.files }, (_, paint) => {
        const files = made.files.map((file) => `  ${file}\n`).join('');
        const enter = folder === '.' ? '' : `  cd ${folder}\n`;
        return `${paint('green', 'made')} ${made.folder}\n${files}\nNext:\n${enter}  npx mayfly dev\n`;
      });
    });
}
