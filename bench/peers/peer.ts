/** What a peer is, and how one is started. */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, Server } from '../lib/process.ts';

export interface RunningPeer {
  readonly server: Server;
  readonly port: number;
}

export interface Peer {
  readonly name: string;
  /** What it does for a request, for the table. */
  readonly does: string;
  readonly path: string;
  /** Part of the quick run. */
  readonly quick: boolean;
  /** Why it cannot run here; null when it can. */
  readonly missing: string | null;
  start(): Promise<RunningPeer>;
}

/** What peers are built from. */
export interface Materials {
  /** A folder that is deleted after the run. */
  readonly scratch: string;
  /** The shop's function as Mayfly deploys it, before it is prepared. */
  readonly module: string;
  /** The shop's policy as OPA's compiler emits it. */
  readonly policy: string;
  readonly shop: string;
  /** node_modules of the peers, or why there are none. */
  readonly packages: { readonly path: string } | { readonly missing: string };
}

/** Starts a server that takes its port from the environment. */
export async function onPort(
  scratch: string,
  name: string,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RunningPeer> {
  const port = await freePort();
  return { port, server: launch(scratch, name, command, { ...env, PORT: String(port) }) };
}

export function launch(
  scratch: string,
  name: string,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Server {
  return new Server({ name, command, env, cwd: scratch, logFile: join(scratch, `${name}.log`) });
}

/** Copies files of this folder to a new one in `scratch`. */
export function copyHere(scratch: string, name: string, files: readonly string[]): string {
  const folder = join(scratch, name);
  mkdirSync(folder, { recursive: true });
  for (const file of files) cpSync(join(import.meta.dirname, file), join(folder, file));
  return folder;
}

export function rootOf(packages: Materials['packages']): string {
  return 'path' in packages ? packages.path : '';
}
