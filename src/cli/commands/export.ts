import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { hasKeys, hasPolicy } from '../../config/checks.ts';
import { besideConfig, policyFiles, statOf } from '../../config/files.ts';
import { type Config, loadConfig } from '../../config/load.ts';
import type { Settings } from '../../config/schema.ts';
import { collect, defineCommand } from '../define.ts';
import type { Shell } from '../shell.ts';
import { printResult } from '../ui/report.ts';
import { paintFor } from '../ui/terminal.ts';

interface ExportFlags {
  readonly functions?: boolean;
  readonly runtime: 'wasmedge' | 'isolate';
  readonly gateway: string;
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
    ['mayfly export kubernetes --runtime isolate', 'a MayflyGateway with all of the file in it'],
    ['mayfly export kubernetes --image orders=registry.example.com/shop/orders@sha256:…', 'name an image'],
  ])
    .argument('[path]', 'configuration file, or its folder', '.')
    .option('--functions', 'Functions for the operator instead of what it would make of them')
    .addOption(
      new Option('--runtime <runtime>', 'pods of their own, or within the pods of a MayflyGateway')
        .choices(['wasmedge', 'isolate'])
        .default('wasmedge'),
    )
    .option('--gateway <name>', 'what the MayflyGateway is called (isolate)', 'gateway')
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
  const { parse } = await import('yaml');
  const { splitPair } = await import('../images/modules.ts');
  const config = loadConfig(path, terminal.env);
  const raw = parse(readFileSync(config.file, 'utf8')) as Raw;
  const source: Source = {
    config,
    images: Object.fromEntries(flags.image.map((pair) => splitPair(pair, '--image'))),
    isFromOutside: (name, variable) => /\$\{/.test(String(raw.functions?.[name]?.env?.[variable] ?? '')),
  };
  const { objects, warnings } = await (flags.runtime === 'isolate'
    ? gatewayObjects(source, flags)
    : podObjects(source, flags));
  for (const text of warnings)
    terminal.err.write(`${paintFor(terminal.err, terminal.env)('yellow', 'warning')} ${text}\n`);
  const { stringify } = await import('yaml');
  printResult(terminal, { apiVersion: 'v1', kind: 'List', items: objects }, ({ items }) =>
    items.map((object) => stringify(object, { aliasDuplicateObjects: false })).join('---\n'),
  );
}

interface Source {
  readonly config: Config;
  readonly images: Readonly<Record<string, string>>;
  isFromOutside(name: string, variable: string): boolean;
}

interface Exported {
  readonly objects: readonly object[];
  readonly warnings: readonly string[];
}

async function podObjects(source: Source, flags: ExportFlags): Promise<Exported> {
  const { functionsOf, secretName } = await import('../../kubernetes/export/functions-of.ts');
  const { functionManifest, plainManifests } = await import('../../kubernetes/export/manifests.ts');
  const { settings } = source.config;
  const functions = functionsOf({ ...source, settings });
  const objects = functions.flatMap((item) =>
    flags.functions === true
      ? functionManifest(item, flags.namespace)
      : plainManifests(item, flags.namespace),
  );
  const secrets = functions.map(({ name, spec }) => missingSecret(name, secretName(name), spec.secretEnv));
  return { objects, warnings: [...secrets.flat(), ...leftOut(settings)] };
}

async function gatewayObjects(source: Source, flags: ExportFlags): Promise<Exported> {
  const { fleetSecret, gatewayManifests, jwtSecret } =
    await import('../../kubernetes/export/gateway-manifests.ts');
  const { directory, settings } = source.config;
  const { security, server, fleet } = settings;
  const objects = gatewayManifests({
    ...source,
    name: flags.gateway,
    namespace: flags.namespace,
    settings,
    rego: policyFiles(directory, settings.policy.files).map((file) => readFileSync(file, 'utf8')),
    moduleOf: (path) =>
      path.endsWith('.wasm') && statOf(besideConfig(directory, path))?.isFile() === true
        ? readFileSync(besideConfig(directory, path))
        : null,
  });
  const { secretName } = await import('../../kubernetes/export/functions-of.ts');
  const secrets = objects.flatMap(({ metadata: { name }, spec }) =>
    missingSecret(name, secretName(name), (spec as { secretEnv?: object }).secretEnv ?? {}),
  );
  const key = jwtSecret(flags.gateway);
  const password = fleetSecret(flags.gateway);
  const warnings = [
    ...secrets,
    security.jwt_secret !== undefined || security.jwt_secret_file !== undefined
      ? `The gateway reads ${key.key} from a Secret called ${key.name}: create it.`
      : null,
    fleet?.password === undefined
      ? null
      : `The gateway reads ${password.key} from a Secret called ${password.name}: create it.`,
    server.tls === undefined ? null : 'TLS is left out: name a Secret under spec.server.tls.',
    security.images.keys.length === 0
      ? null
      : 'Keys of images are left out: put them into spec.security.images.keys.',
  ];
  return { objects, warnings: warnings.filter((text) => text !== null) };
}

function missingSecret(name: string, secret: string, values: object): string[] {
  const keys = Object.keys(values);
  return keys.length === 0
    ? []
    : [`${name} reads ${keys.join(', ')} from a Secret called ${secret}: create it.`];
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
