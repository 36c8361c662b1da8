/** Gateways as processes, that read one folder as pods read a ConfigMap. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerProcess, startServer } from '../../support/cli.ts';

export interface Mounted extends Disposable {
  readonly folder: string;
  /** What `mayfly_config_info` says when it is served. */
  readonly hash: string;
  /** All files anew, in one step: as a kubelet does. */
  replace(files: Readonly<Record<string, string | Uint8Array>>): void;
}

/**
 * `mayfly.yaml` is a link to `..data/mayfly.yaml`, and `..data` a link to the folder that is in force
 * (kubernetes/pkg/volume/util/atomic_writer.go).
 */
export function mountConfigMap(files: Readonly<Record<string, string | Uint8Array>>): Mounted {
  const root = mkdtempSync(join(tmpdir(), 'mayfly-fleet-'));
  const folder = join(root, 'config');
  mkdirSync(folder);
  let version = 0;
  let hash = '';
  let before: string | null = null;
  const replace = (contents: Readonly<Record<string, string | Uint8Array>>) => {
    const name = `..version_${++version}`;
    mkdirSync(join(folder, name));
    for (const [file, content] of Object.entries(contents)) writeFileSync(join(folder, name, file), content);
    symlinkSync(name, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    if (before === null) {
      for (const file of Object.keys(contents)) symlinkSync(`..data/${file}`, join(folder, file));
    } else rmSync(join(folder, before), { recursive: true });
    before = name;
    hash = createHash('sha256')
      .update(contents['mayfly.yaml'] ?? '')
      .digest('hex');
  };
  replace(files);
  return {
    folder,
    get hash() {
      return hash;
    },
    replace,
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

let started = 0;

/** The file has `${STATE}` for what belongs to one gateway. */
export function startGateway(
  { folder }: Mounted,
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const state = join(folder, '..', `state-${++started}`);
  return startServer(['serve', folder], { env: { STATE: state, XDG_STATE_HOME: state, ...env } });
}

/** The top of every file. */
export const ONE_OF_MANY = `
server: { port: 0, host: 127.0.0.1, threads: 1, drain_delay: 500ms }
monitoring: { metrics_port: 0, host: 127.0.0.1 }
admin: { port: 0, token_file: "\${STATE}/admin-token" }
state: { directory: "\${STATE}" }
`;

export async function metric(server: ServerProcess, name: string): Promise<string | undefined> {
  const page = await (await fetch(`${server.overview.addresses.metrics}/metrics`)).text();
  return page.split('\n').find((line) => line.startsWith(name));
}

export async function eventually(what: string, reached: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await reached())) {
    if (performance.now() > end) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
