/** `mayfly dev`: a server whose compiler stays warm, that follows the sources and shows each request. */
import { Compiler } from '../../build/compiler.ts';
import { findConfigFile } from '../../config/files.ts';
import { loadConfig } from '../../config/load.ts';
import { resolveConfig } from '../../config/resolve.ts';
import { watchConfig } from '../../config/watch.ts';
import type { ReloadOutcome } from '../../control/reload.ts';
import { MayflyError } from '../../model/errors.ts';
import type { RequestTrace } from '../../model/protocol.ts';
import { errorDocument, printError, type Terminal } from '../ui/report.ts';
import { paintFor, printable, type Paint } from '../ui/terminal.ts';
import { printOverview, runServer, type RunningServer, type ServerOptions } from './run-server.ts';
import { sourceFiles } from './source-files.ts';

/** Sources are looked at soon after the last event; editors write in one go. */
const SETTLE_MS = 15;

export async function develop(
  options: Pick<ServerOptions, 'path' | 'terminal' | 'overrides'>,
): Promise<void> {
  const { terminal, path } = options;
  const { out, env } = terminal;
  const paint = paintFor(out, env);
  await using compiler = new Compiler('quick');
  const server = await startWhenItBuilds({
    ...options,
    logFormat: 'text',
    extras: {
      compiler,
      rollouts: false,
      onRequest: (trace) =>
        void out.write(terminal.json ? `${JSON.stringify(trace)}\n` : formatTrace(trace, paint)),
      onReload: (outcome) => showReload(terminal, paint, outcome),
    },
  });
  printOverview(terminal, server.overview);
  const watcher = followSources(server, path, terminal);
  await server.ended;
  watcher.close();
}

/** A mistake in a source is shown, and the next attempt made when something changes. */
async function startWhenItBuilds(options: ServerOptions): Promise<RunningServer> {
  const { path, terminal } = options;
  for (;;) {
    // Looked at before the attempt, so that no change during it is missed.
    using change = firstChange(path, terminal);
    try {
      return await runServer(options);
    } catch (error) {
      if (!(error instanceof MayflyError) || error.code !== 'build-failed') throw error;
      showError(terminal, error);
      terminal.err.write('  Waiting for a change.\n');
      await change.happened;
    }
  }
}

function firstChange(path: string, { env }: Terminal): Disposable & { readonly happened: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const files = [findConfigFile(path), ...sourceFiles(resolveConfig(loadConfig(path, env)))];
  const watcher = watchConfig({ files, folders: [] }, resolve, { settleMs: SETTLE_MS });
  // The watcher alone does not keep the process alive.
  const alive = setInterval(() => {}, 60_000);
  return {
    happened: promise,
    [Symbol.dispose]() {
      watcher.close();
      clearInterval(alive);
    },
  };
}

/** Reloads when a source changes; which files there are is found out again each time. */
function followSources({ platform }: RunningServer, path: string, { env }: Terminal): { close(): void } {
  let closed = false;
  let files = sourceFiles(platform.resolved);
  const watch = () => watchConfig({ files, folders: [] }, () => void follow(), { settleMs: SETTLE_MS });
  let watcher = watch();
  const follow = async () => {
    await platform.reload();
    const found = currentFiles(path, env) ?? files;
    if (closed || found.join('\0') === files.join('\0')) return;
    watcher.close();
    files = found;
    watcher = watch();
    // What changed between the two watchers.
    await platform.reload();
  };
  return {
    close() {
      closed = true;
      watcher.close();
    },
  };
}

/** null while the configuration cannot be used. */
function currentFiles(path: string, env: Terminal['env']): string[] | null {
  try {
    return sourceFiles(resolveConfig(loadConfig(path, env)));
  } catch {
    return null;
  }
}

/** With --json the output is a stream: one document a line. */
function showError(terminal: Terminal, error: unknown): void {
  if (terminal.json) terminal.out.write(`${JSON.stringify({ error: errorDocument(error) })}\n`);
  else printError(terminal, error);
}

function showReload(
  terminal: Terminal,
  paint: Paint,
  { error, deployed, removed, needsRestart }: ReloadOutcome,
): void {
  if (error !== null) {
    showError(terminal, error);
    terminal.err.write('  The old revision keeps running.\n');
    return;
  }
  if (terminal.json) {
    terminal.out.write(`${JSON.stringify({ deployed, removed, needs_restart: needsRestart })}\n`);
    return;
  }
  const changed = [...deployed, ...removed.map((name) => `${name} (removed)`)].join(', ');
  terminal.out.write(
    `${paint('green', 'reloaded')} ${printable(changed === '' ? 'nothing to do' : changed)}\n`,
  );
  for (const key of needsRestart)
    terminal.out.write(`${paint('yellow', 'warning')} ${key} acts after a restart\n`);
}

/** `POST /orders 200 orders 81.2 µs  route 0.9 · authenticate 12.1 · …` */
function formatTrace({ method, path, status, function: name, stages }: RequestTrace, paint: Paint): string {
  const parts = Object.entries(stages);
  const total = parts.reduce((sum, [, microseconds]) => sum + microseconds, 0);
  const colour = status >= 500 ? 'red' : status >= 400 ? 'yellow' : 'green';
  const detail = parts.map(([stage, microseconds]) => `${stage} ${microseconds.toFixed(1)}`).join(' · ');
  return `${printable(`${method} ${path}`)} ${paint(colour, String(status))} ${name === '' ? '-' : name} ${total.toFixed(1)} µs  ${paint('gray', detail)}\n`;
}
