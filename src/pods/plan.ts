/** Which pods `mayfly build --target wasmedge PATH` makes, and with which settings. */
import { basename, dirname, join, resolve } from 'node:path';
import type { BuildOptions } from '../build/build.ts';
import { findConfigFile, statOf } from '../config/files.ts';
import { type Config, loadConfig } from '../config/load.ts';
import { type DeclaredFunction, type Resolved, resolveConfig } from '../config/resolve.ts';
import { schema } from '../config/schema.ts';
import type { Environment } from '../config/substitute.ts';
import { MayflyError } from '../model/errors.ts';
import type { PodSettings } from './settings.ts';

export interface PodPlan {
  readonly name: string;
  readonly build: BuildOptions;
  readonly settings: PodSettings;
  readonly memoryBytes: number;
  /** Where finished builds are kept, and pods that nobody asked for elsewhere. */
  readonly folder: string;
}

/** A folder with a mayfly.yaml gives a pod for each of its functions; anything else is one function, asked for under every path. */
export function planPods(path: string, env: Environment): PodPlan[] {
  const file = findConfigFile(path);
  const isConfig = /\.ya?ml$/.test(file) && statOf(file) !== null;
  return isConfig ? fromConfig(loadConfig(path, env)) : [fromSource(path)];
}

function fromConfig(config: Config): PodPlan[] {
  const resolved = resolveConfig(config);
  return resolved.functions.flatMap((declared) => {
    if (declared.source.type !== 'path') return []; // from an image: it was built elsewhere
    const { path: source, build } = declared.source;
    const folder = join(resolved.directory, '.mayfly');
    return [plan(resolved, config.settings.server.port, declared, { source, ...build }, folder)];
  });
}

/** With what a configuration would mean that says nothing else. */
function fromSource(path: string): PodPlan {
  const source = resolve(path);
  const name = basename(source).replace(/\.\w+$/, '');
  const folder = statOf(source)?.isDirectory() === true ? source : dirname(source);
  const settings = schema.parse({ functions: { function: { source, routes: [{ path: '/*' }] } } });
  const resolved = resolveConfig({ file: source, directory: folder, hash: '', settings, credentials: null });
  const declared = resolved.functions[0] as DeclaredFunction;
  return plan(resolved, settings.server.port, { ...declared, name }, { source }, join(folder, '.mayfly'));
}

function plan(
  { listen, http, logging }: Resolved,
  port: number,
  { name, routes, configuration }: DeclaredFunction,
  build: BuildOptions,
  folder: string,
): PodPlan {
  const { limits, env } = configuration;
  const settings: PodSettings = {
    name,
    // A pod has an address of its own, and whoever asks it comes from outside of it.
    host: listen?.host === '::' ? '::' : '0.0.0.0',
    port,
    logLevel: logging.level,
    http,
    limits,
    env,
    routes,
  };
  return { name, build, settings, memoryBytes: limits.memoryBytes, folder };
}

/** Throws MayflyError when there is not exactly one to put into the file. */
export function refuseSeveral(plans: readonly PodPlan[], path: string): void {
  if (plans.length === 1) return;
  throw new MayflyError(`Cannot put ${plans.length} functions into one file`, {
    where: findConfigFile(path),
    fix: 'Build one source at a time: mayfly build FILE --target wasmedge --out FILE.',
    exitCode: 2,
    code: 'usage',
  });
}
