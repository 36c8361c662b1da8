/** Completion scripts, written from the program itself. Where no word of ours fits, the shell offers files. */
import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type CompletionShell = (typeof SHELLS)[number];

interface Node {
  /** `policy eval`; empty for the program itself. */
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly meaning: string }[];
}

export function completionScript(shell: CompletionShell, program: Command): string {
  const nodes = nodesOf(program, []);
  return { bash, zsh, fish }[shell](nodes);
}

function nodesOf(command: Command, path: readonly string[]): Node[] {
  const help = command.createHelp();
  const inner = help.visibleCommands(command);
  const words = [
    ...inner.map((one) => ({ word: one.name(), meaning: one.description() })),
    ...command.registeredArguments.flatMap(({ argChoices = [], description }) =>
      argChoices.map((word) => ({ word, meaning: description })),
    ),
    ...help
      .visibleOptions(command)
      .flatMap(({ long, description }) => (long == null ? [] : [{ word: long, meaning: description }])),
  ];
  return [{ path: path.join(' '), words }, ...inner.flatMap((one) => nodesOf(one, [...path, one.name()]))];
}

/** The words before the cursor that name a command, joined, are the path of its node. */
function bash(nodes: readonly Node[]): string {
  const cases = nodes.map(
    ({ path, words }) => `    '${path}') words='${words.map(({ word }) => word).join(' ')}' ;;`,
  );
  return `# bash completion of mayfly
_mayfly() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " $path $word " in
${nodes
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      ' ${path.includes(' ') ? path : ` ${path}`} ') path='${path}' ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _mayfly mayfly
`;
}

function zsh(nodes: readonly Node[]): string {
  const cases = nodes.map(
    ({ path, words }) =>
      `    '${path}') words=(${words.map(({ word, meaning }) => quoted(`${word}:${meaning}`)).join(' ')}) ;;`,
  );
  return `#compdef mayfly
# zsh completion of mayfly
_mayfly() {
  local path='' word
  local -a given words
  given=("\${(@)words[2,CURRENT-1]}")
  words=()
  for word in "\${given[@]}"; do
    case " $path $word " in
${nodes
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      ' ${path.includes(' ') ? path : ` ${path}`} ') path='${path}' ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  _describe mayfly words || _files
}
compdef _mayfly mayfly
`;
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, words }) =>
    words.map(({ word, meaning }) => {
      const name = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c mayfly -n ${quoted(fishCondition(path, nodes))} ${name} -d ${quoted(meaning)}`;
    }),
  );
  return `# fish completion of mayfly\n${lines.join('\n')}\n`;
}

function fishCondition(path: string, nodes: readonly Node[]): string {
  if (path === '') return '__fish_use_subcommand';
  const seen = path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
  const inner = nodes
    .filter((node) => node.path.startsWith(`${path} `))
    .map((node) => node.path.slice(path.length + 1));
  return [
    ...seen,
    ...(inner.length === 0 ? [] : [`not __fish_seen_subcommand_from ${inner.join(' ')}`]),
  ].join('; and ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
