import { Argument, type Command } from 'commander';
import { completionScript, SHELLS, type CompletionShell } from '../completion.ts';
import { defineCommand } from '../define.ts';
import type { Shell } from '../shell.ts';
import { printResult } from '../ui/report.ts';

export function completionCommand(shell: Shell): Command {
  const command = defineCommand(
    'completion',
    'Print the script that completes commands and options in a shell.',
    [
      ['mayfly completion bash > ~/.local/share/bash-completion/completions/mayfly', 'for bash'],
      ['mayfly completion zsh > "${fpath[1]}/_mayfly"', 'for zsh'],
      ['mayfly completion fish > ~/.config/fish/completions/mayfly.fish', 'for fish'],
    ],
  );
  return command
    .addArgument(new Argument('<shell>', 'for which shell').choices(SHELLS))
    .action((name: CompletionShell) => {
      const script = completionScript(name, command.parent as Command);
      printResult(shell.terminal, { shell: name, script }, () => script);
    });
}
