/**
 * Tells when files change. Events only say "look now"; what decides is whether the files are different, so the ways in
 * which files get replaced all work: an editor's rename over the old file, a Kubernetes ConfigMap's swapped `..data`
 * symlink, a file that is missing for a moment. A slow poll finds changes where the file system sends no events.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, watch, type FSWatcher } from 'node:fs';
import { dirname, join } from 'node:path';

export interface WatchTargets {
  readonly files: readonly string[];
  /** All files below count. */
  readonly folders: readonly string[];
  /** The files in them count, and none below: nodes swap what is behind them as a whole. */
  readonly flat?: readonly string[];
}

export interface WatchOptions {
  /** Quiet time after the last event before the files are looked at. */
  readonly settleMs?: number;
  readonly pollMs?: number;
}

/** Calls `onChange` after files changed, once for changes that come together. `close()` ends it. */
export function watchConfig(
  targets: WatchTargets,
  onChange: () => void,
  { settleMs = 50, pollMs = 5000 }: WatchOptions = {},
): { close(): void } {
  let known = fingerprint(targets);
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const current = fingerprint(targets);
    if (current === known) return;
    known = current;
    onChange();
  };
  const lookSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(look, settleMs);
  };
  const watchers = [
    // The folder, not the file: a watch on a file follows the old file when another takes its name.
    ...[...new Set([...targets.files.map((file) => dirname(file)), ...(targets.flat ?? [])])].map((folder) =>
      open(folder, false, lookSoon),
    ),
    ...targets.folders.map((folder) => open(folder, true, lookSoon)),
  ];
  const poll = setInterval(look, pollMs);
  poll.unref();
  return {
    close() {
      clearTimeout(timer);
      clearInterval(poll);
      for (const watcher of watchers) watcher?.close();
    },
  };
}

/** null where watching is impossible (too many watches, no such folder): the poll remains. */
function open(folder: string, recursive: boolean, onEvent: () => void): FSWatcher | null {
  try {
    const watcher = watch(folder, { recursive, persistent: false }, onEvent);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}

function fingerprint({ files, folders, flat = [] }: WatchTargets): string {
  const hash = createHash('sha256');
  const inFolders = [
    ...folders.flatMap((folder) => filesIn(folder, true)),
    ...flat.flatMap((folder) => filesIn(folder, false)),
  ];
  for (const file of [...files, ...inFolders]) {
    hash.update(`${file}\0`).update(contentOf(file)).update('\0');
  }
  return hash.digest('base64');
}

function filesIn(folder: string, recursive: boolean): string[] {
  try {
    return readdirSync(folder, { recursive, withFileTypes: true })
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
  } catch {
    return [];
  }
}

function contentOf(file: string): Uint8Array | string {
  try {
    return readFileSync(file);
  } catch {
    return '';
  }
}
