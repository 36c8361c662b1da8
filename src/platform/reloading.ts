import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { findConfigFile } from '../config/files.ts';
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

/** What a file names may be there a moment later: a module, an image, a secret. */
const RETRY: { readonly first: number; readonly most: number } = { first: 1000, most: 60_000 };

export interface ReloadingOptions {
  readonly path: string;
  readonly env: Environment;
  /** What the process was started with. */
  readonly first: { readonly config: Config; readonly resolved: Resolved };
  readonly apply: Parameters<typeof createReloader>[0]['apply'];
  readonly onOutcome: (outcome: ReloadOutcome) => void;
  readonly retryMs?: typeof RETRY;
}

export interface Reloading extends Disposable {
  readonly reloader: Reloader;
  readonly standing: Standing;
}

/** SHA-256 of the file as it serves, and as it was last refused; null: it was not. */
export interface Standing {
  readonly configuration: string;
  readonly refused: string | null;
}

/**
 * Reads the configuration again when it is told to, whenever one of its files changes, and, more and more seldom, while what
 * there is cannot be used. The same complaint is made once.
 */
export function startReloading(options: ReloadingOptions): Reloading {
  let watcher: { close(): void } | null = null;
  let retry: NodeJS.Timeout | undefined;
  let ended = false;
  let failures = 0;
  let complaint: string | null = null;
  let standing: Standing = { configuration: options.first.config.hash, refused: null };
  /** Of the file that is read. */
  let hash = standing.configuration;
  const watch = (config: Config): void => {
    watcher?.close();
    if (!ended) watcher = watchConfig(watchTargets(config), () => void reloader.reload());
  };
  const tell = (outcome: ReloadOutcome): void => {
    const { error } = outcome;
    clearTimeout(retry);
    if (error === null) {
      standing = { configuration: hash, refused: null };
      failures = 0;
    } else {
      standing = { ...standing, refused: hash };
      const { first, most } = options.retryMs ?? RETRY;
      const wait = Math.min(most, first * 2 ** failures++);
      if (!ended) retry = setTimeout(() => void reloader.reload(), wait).unref();
    }
    if (error === null || error.message !== complaint) options.onOutcome(outcome);
    complaint = error?.message ?? null;
  };
  const reloader = createReloader({
    running: options.first.resolved,
    load: () => {
      hash = hashAt(options.path);
      const { config, resolved } = readConfig(options.path, options.env);
      hash = config.hash;
      watch(config);
      return resolved;
    },
    apply: options.apply,
    onOutcome: tell,
    clock: systemClock,
  });
  watch(options.first.config);
  return {
    reloader,
    get standing() {
      return standing;
    },
    [Symbol.dispose]: () => {
      ended = true;
      clearTimeout(retry);
      watcher?.close();
    },
  };
}

/** Also of a file that is no configuration; empty when it cannot be read. */
function hashAt(path: string): string {
  try {
    return createHash('sha256')
      .update(readFileSync(findConfigFile(path)))
      .digest('hex');
  } catch {
    return '';
  }
}

export function logReload(
  log: Log['logger'],
  { error, deployed, removed, needsRestart }: ReloadOutcome,
): void {
  if (error !== null) log.error(error.message);
  else log.info({ deployed, removed }, 'configuration reloaded');
  for (const key of needsRestart) log.warn(`${key} changed; it acts after a restart`);
}
