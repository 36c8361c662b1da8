import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { hasKeys, hasPolicy } from '../../config/checks.ts';
import { loadConfig } from '../../config/load.ts';
import type { Settings } from '../../config/schema.ts';
import { collect, defineCommand } from '../define.ts';
import type { Shell } from '../shell.ts';
import { printResult } from '../ui/report.ts';
import { paintFor } from '../ui/terminal.ts';

interface ExportFlags {
  readonly functions?: boolean;
  readonly namespace?: string;
  readonly image: readonly string[];
}

export function exportCommand(shell: Shell): Command {
  const command = defineCommand('export', 'Write a configuration for another platform.', [
    ['mayfly export kubernetes > shop.yaml', 'what kubectl can apply'],
  ]);
  return command.addCommand(kubernetesCommand(shell));
}

function kubernetesCommand(shell: Shell): Command {
  return defineCommand('kubernetes', 'Print the functions of a configuration as Kubernetes objects (YAML).', [
    ['mayfly export kubernetes', 'Deployment, Service and HorizontalPodAutoscaler of each function'],
    ['mayfly export kubernetes --functions | kubectl apply -f -', 'Functions, for `mayfly operator`'],
    ['mayfly export kubernetes --image orders=registry.example.com/shop/orders@sha256:…', 'name an image'],
  ])
    .argument('[path]', 'configuration file, or its folder', '.')
    .option('--functions', 'Functions for the operator instead of what it would make of them')
    .option('--namespace <name>', 'the namespace that they say they are in')
    .option(
      '--image <function=image>',
      'the image of a function whose source is not one; repeatable',
      collect,
      [],
    )
    .action((path: string, flags: ExportFlags) => run(shell, path, flags));
}

async function run({ terminal }: Shell, path: string, flags: ExportFlags): Promise<void> {
  const { parse, stringify } = await import('yaml');
  const { splitPair } = await import('../images/modules.ts');
  const { functionsOf, secretName } = await import('../../kubernetes/export/functions-of.ts');
  const { functionManifest, plainManifests } = await import('../../kubernetes/export/manifests.ts');
  const { file, settings } = loadConfig(path, terminal.env);
  const raw = parse(readFileSync(file, 'utf8')) as Raw;
  const functions = functionsOf({
    settings,
    images: Object.fromEntries(flags.image.map((pair) => splitPair(pair, '--image'))),
    isFromOutside: (name, variable) => /\$\{/.test(String(raw.functions?.[name]?.env?.[variable] ?? '')),
  });
  const objects = functions.flatMap((item) =>
    flags.functions === true
      ? functionManifest(item, flags.namespace)
      : plainManifests(item, flags.namespace),
  );
  const warn = (text: string) =>
    terminal.err.write(`${paintFor(terminal.err, terminal.env)('yellow', 'warning')} ${text}\n`);
  for (const { name, spec } of functions) {
    const keys = Object.keys(spec.secretEnv);
    if (keys.length > 0)
      warn(`${name} reads ${keys.join(', ')} from a Secret called ${secretName(name)}: create it.`);
  }
  for (const text of leftOut(settings)) warn(text);
  printResult(terminal, { apiVersion: 'v1', kind: 'List', items: objects }, ({ items }) =>
    items.map((object) => stringify(object, { aliasDuplicateObjects: false })).join('---\n'),
  );
}

interface Raw {
  readonly functions?: Readonly<
    Record<string, { readonly env?: Readonly<Record<string, unknown>> } | undefined>
  >;
}

/** What a gateway does and pods by themselves do not. */
function leftOut(settings: Settings): string[] {
  const { functions, security } = settings;
  const asked = [
    Object.values(functions).some(({ routes }) => routes !== undefined) ? 'routes' : null,
    hasKeys(settings) ? 'tokens' : null,
    hasPolicy(settings) ? 'policies' : null,
    security.rate_limit_enabled ? 'rate limits' : null,
  ].filter((what) => what !== null);
  if (asked.length === 0) return [];
  return [
    `Pods answer everybody who reaches their Service: ${asked.join(', ')} are a gateway's work, not theirs.`,
  ];
}
