import { type Config, loadConfig } from '../config/load.ts';
import { resolveConfig, type Resolved } from '../config/resolve.ts';
import type { Environment } from '../config/substitute.ts';
import { watchConfig } from '../config/watch.ts';
import { watchTargets } from '../config/watched.ts';
import { createReloader, type Reloader, type ReloadOutcome } from '../control/reload.ts';
import { systemClock } from '../model/clock.ts';
import type { Log } from '../observability/log.ts';

/** The configuration and what it comes to. Throws MayflyError. */
export function readConfig(path: string, env: Environment): { config: Config; resolved: Resolved } {
  const config = loadConfig(path, env);
  return { config, resolved: resolveConfig(config) };
}

export interface ReloadingOptions {
  readonly path: string;
  readonly env: Environment;
  /** What the process was started with. */
  readonly first: { readonly config: Config; readonly resolved: Resolved };
  readonly apply: Parameters<typeof createReloader>[0]['apply'];
  readonly onOutcome: (outcome: ReloadOutcome) => void;
}

export interface Reloading extends Disposable {
  readonly reloader: Reloader;
}

/** Reads the configuration again when it is told to and whenever one of its files changes. */
export function startReloading(options: ReloadingOptions): Reloading {
  let watcher: { close(): void } | null = null;
  let ended = false;
  const watch = (config: Config): void => {
    watcher?.close();
    if (!ended) watcher = watchConfig(watchTargets(config), () => void reloader.reload());
  };
  const reloader = createReloader({
    running: options.first.resolved,
    load: () => {
      const { config, resolved } = readConfig(options.path, options.env);
      watch(config);
      return resolved;
    },
    apply: options.apply,
    onOutcome: options.onOutcome,
    clock: systemClock,
  });
  watch(options.first.config);
  return {
    reloader,
    [Symbol.dispose]: () => {
      ended = true;
      watcher?.close();
    },
  };
}

export function logReload(
  log: Log['logger'],
  { error, deployed, removed, needsRestart }: ReloadOutcome,
): void {
  if (error !== null) log.error(error.message);
  else log.info({ deployed, removed }, 'configuration reloaded');
  for (const key of needsRestart) log.warn(`${key} changed; it acts after a restart`);
}
