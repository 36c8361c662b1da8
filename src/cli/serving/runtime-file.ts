/**
 * A running server leaves a note for the client commands of the same user: where its admin API is and which file holds
 * the token. One file per admin port in the user's state folder (XDG Base Directory Specification), mode 0600.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../../config/substitute.ts';

export interface RunningServer {
  /** Base address of the admin API. */
  readonly admin: string;
  readonly tokenFile: string;
  readonly pid: number;
  /** The configuration file, absolute. */
  readonly config: string;
}

/** Port that the server takes unless it is told otherwise; the one that is meant when several run. */
const USUAL_PORT = '9091';

export function stateFolder(env: Environment): string {
  const base = env['XDG_STATE_HOME'];
  return join(base === undefined || base === '' ? join(homedir(), '.local', 'state') : base, 'mayfly');
}

/**
 * Writes the note, and takes it away when it is disposed of or the process exits. Notes of servers that were killed go on
 * this occasion. A folder that cannot be written is no reason not to serve.
 */
export function announce(server: RunningServer, env: Environment): Disposable {
  const folder = stateFolder(env);
  const file = join(folder, `${new URL(server.admin).port}.json`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const [name, { pid }] of notesIn(folder))
      if (!isAlive(pid)) rmSync(join(folder, name), { force: true });
    rmSync(file, { force: true });
    writeFileSync(file, `${JSON.stringify(server)}\n`, { mode: 0o600 });
  } catch {
    return { [Symbol.dispose]() {} };
  }
  const takeAway = () => rmSync(file, { force: true });
  process.once('exit', takeAway);
  return {
    [Symbol.dispose]() {
      process.off('exit', takeAway);
      takeAway();
    },
  };
}

/** Those that are alive; notes of a process that is gone are not looked at. */
export function runningServers(env: Environment): RunningServer[] {
  return notesIn(stateFolder(env)).flatMap(([, note]) => (isAlive(note.pid) ? [note] : []));
}

/** The only one, or the one on the usual port; null when there is none or no telling which. */
export function theRunningOne(env: Environment): RunningServer | null {
  const servers = runningServers(env);
  if (servers.length === 1) return servers[0] as RunningServer;
  return servers.find(({ admin }) => new URL(admin).port === USUAL_PORT) ?? null;
}

function notesIn(folder: string): [name: string, note: RunningServer][] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => /^\d+\.json$/.test(name));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const note = readNote(join(folder, name));
    return note === null ? [] : [[name, note]];
  });
}

function readNote(file: string): RunningServer | null {
  try {
    const note = JSON.parse(readFileSync(file, 'utf8')) as Partial<RunningServer>;
    const { admin, tokenFile, pid, config } = note;
    if (typeof admin !== 'string' || typeof tokenFile !== 'string') return null;
    if (typeof pid !== 'number' || typeof config !== 'string' || !URL.canParse(admin)) return null;
    return { admin, tokenFile, pid, config };
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
