import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { isImageSource } from '../../model/code-source.ts';
import { METHODS } from '../../model/method.ts';
import { MayflyError } from '../../model/errors.ts';
import { functionPath } from '../admin/client.ts';
import { connect, defineClientCommand } from '../admin/command.ts';
import type { ConnectionOptions } from '../admin/connection.ts';
import { formatTraffic } from '../admin/format.ts';
import { collect, wholeNumber } from '../define.ts';
import { shortDigest } from '../serving/overview.ts';
import type { Shell } from '../shell.ts';
import { formatBytes } from '../ui/bytes.ts';
import { printResult } from '../ui/report.ts';
import { startSpinner } from '../ui/spinner.ts';
import { paintFor } from '../ui/terminal.ts';

interface DeployOptions extends ConnectionOptions {
  readonly route: readonly string[];
  readonly env: readonly string[];
  readonly settings?: string;
  readonly percent?: number;
}

export function deployCommand(shell: Shell): Command {
  return defineClientCommand('deploy', 'Deploy a function to a running server; a source is built first.', [
    ['mayfly deploy hello function.ts --route "GET /hello"', 'build and deploy one file'],
    ['mayfly deploy orders oci://registry.example.com/shop/orders:1.0', 'fetched by the server itself'],
    ['mayfly deploy orders orders.wasm --percent 10', 'a new revision that gets a tenth of the requests'],
    [
      'mayfly deploy orders . --settings orders.yaml',
      'routes, limits and env as under `functions.NAME` in mayfly.yaml',
    ],
  ])
    .argument('<name>', 'of the function')
    .argument('<source>', 'a .wasm, a source file, a folder with one, or oci://HOST/REPOSITORY:TAG')
    .option(
      '--route <[methods ]path>',
      'where it answers, such as "GET,HEAD /hello"; repeatable',
      collect,
      [],
    )
    .option('--env <name=value>', 'a variable for it; repeatable', collect, [])
    .option('--settings <file>', 'YAML or JSON with all of its settings')
    .option(
      '--percent <number>',
      'share of the requests that the new revision gets and keeps (default: as its rollout has it, or 100)',
      wholeNumber(0, 100),
    )
    .action((name: string, source: string, options: DeployOptions) => deploy(shell, name, source, options));
}

async function deploy(shell: Shell, name: string, source: string, options: DeployOptions): Promise<void> {
  const { terminal } = shell;
  const { deployment } = await import('../../control/admin/schemas.ts');
  const settings = await readSettings(options);
  const client = await connect(shell, options);
  const spinner = startSpinner(terminal.err, paintFor(terminal.err, terminal.env), `building ${source}`);
  try {
    const form = new FormData();
    if (isImageSource(source)) form.set('image', await pinned(shell, source));
    else form.set('code', await moduleAt(source), 'function.wasm');
    spinner.update(`deploying ${name}`);
    if (settings !== null) {
      form.set(
        'settings',
        new Blob([JSON.stringify(settings)], { type: 'application/json' }),
        'settings.json',
      );
    }
    const query = options.percent === undefined ? {} : { percent: options.percent };
    const answer = await client.call(functionPath(name), deployment, { method: 'PUT', query, form });
    spinner.stop();
    printResult(terminal, answer, ({ revision, created, traffic }, paint) => {
      const what = created ? 'deployed' : 'was there already and serves again';
      const code = `${revision.kind}, ${formatBytes(revision.bytes)}, ${shortDigest(revision.digest)}`;
      return `${paint('green', 'ok')} ${name}: revision ${revision.number} ${what} (${code}). ${formatTraffic(traffic)}\n`;
    });
  } finally {
    spinner.stop();
  }
}

async function moduleAt(source: string): Promise<Blob> {
  const { buildFunction } = await import('../../build/build.ts');
  const { wasm } = await buildFunction({ source });
  return new Blob([wasm as Uint8Array<ArrayBuffer>], { type: 'application/wasm' });
}

/** A tag is looked up here, once: what is deployed is named by its digest. */
async function pinned({ terminal }: Shell, source: string): Promise<string> {
  const { formatReference, parseReference } = await import('../../artifacts/oci/reference.ts');
  const { openRegistry } = await import('../../artifacts/oci/registry/registry.ts');
  const { requireImage } = await import('../../artifacts/oci/repository.ts');
  const reference = parseReference(source);
  if (reference.digest !== null) return source;
  const { digest } = await requireImage(
    openRegistry(reference, { env: terminal.env }),
    reference.tag ?? 'latest',
  );
  return `oci://${formatReference({ ...reference, tag: null, digest })}`;
}

/** null: none were given, so they stay as they are. */
async function readSettings({
  route,
  env,
  settings,
}: DeployOptions): Promise<Record<string, unknown> | null> {
  const own = settings === undefined ? {} : await readSettingsFile(settings);
  if (settings === undefined && route.length === 0 && env.length === 0) return null;
  return {
    ...own,
    ...(route.length > 0 && { routes: route.map(parseRoute) }),
    ...(env.length > 0 && { env: Object.fromEntries(env.map(parseVariable)) }),
  };
}

async function readSettingsFile(file: string): Promise<Record<string, unknown>> {
  const { parse } = await import('yaml');
  try {
    const value: unknown = parse(readFileSync(file, 'utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
    throw new Error('it is not a mapping');
  } catch (cause) {
    throw usage(`Cannot read the settings: ${(cause as Error).message}`, file);
  }
}

/** `GET,POST /orders` → methods and path; without methods, every method. */
function parseRoute(text: string): { methods?: string[]; path: string } {
  const match = /^(?:([A-Za-z,]+)\s+)?(\/\S*)$/.exec(text.trim());
  if (match === null) throw usage('A route must be PATH, or METHODS PATH such as "GET,POST /orders"', text);
  const [, methods, path] = match as unknown as [string, string | undefined, string];
  if (methods === undefined) return { path };
  const names = methods.toUpperCase().split(',');
  const unknown = names.find((name) => name === '' || !(METHODS as readonly string[]).includes(name));
  if (unknown !== undefined) throw usage(`There is no method ${JSON.stringify(unknown)}`, text);
  return { methods: names, path };
}

function parseVariable(pair: string): [string, string] {
  const equals = pair.indexOf('=');
  if (equals < 1) throw usage('A variable must be NAME=VALUE', pair.slice(0, 20));
  return [pair.slice(0, equals), pair.slice(equals + 1)];
}

function usage(what: string, where: string): MayflyError {
  return new MayflyError(what, { where, exitCode: 2, code: 'usage' });
}
