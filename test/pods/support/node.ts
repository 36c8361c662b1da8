/** A node for pods: containerd 1.7 with three runtime handlers and a bridge network, in namespaces of its own. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { FoundPart } from '../../../scripts/parts/part.ts';
import { CriClient } from './cri/client.ts';
import { Namespaces } from './namespaces.ts';
import { type Pod, type PodOptions, startPod } from './pod.ts';
import { namePrefix, remove, removeOrphans } from './remains.ts';

/** `wasmedge`: crun with WasmEdge. `wasmedge-shim`: our shim. `linux`: crun for programs of Linux. */
export type Handler = 'wasmedge' | 'wasmedge-shim' | 'linux';

export const PAUSE_IMAGE = 'mayfly.test/pause:1';
const READY_WITHIN_MS = 20_000;
/** The addresses of pods, where nobody asks for others. */
const POD_ADDRESSES = '10.213.0.0/20';

export interface NodeParts {
  readonly containers: FoundPart<'containerd' | 'ctr' | 'shims' | 'wrapped' | 'crun' | 'cni'>;
  readonly shim: FoundPart<'shim'>;
  readonly pause: FoundPart<'pause'>;
}

export class PodNode implements AsyncDisposable {
  readonly cri: CriClient;
  readonly namespaces: Namespaces;
  readonly name: string;
  readonly folder: string;
  /** All containers are below this group. */
  readonly cgroup: string;
  readonly #ctr: readonly string[];

  private constructor(folder: string, namespaces: Namespaces, ctr: readonly string[]) {
    this.folder = folder;
    this.name = basename(folder);
    this.cgroup = `/${this.name}`;
    this.namespaces = namespaces;
    this.#ctr = ctr;
    this.cri = new CriClient(join(folder, 'c.sock'));
  }

  static async start({ containers, shim }: NodeParts, addresses = POD_ADDRESSES): Promise<PodNode> {
    removeOrphans();
    const folder = mkdtempSync(join(tmpdir(), namePrefix));
    for (const each of ['cni', 'logs']) mkdirSync(join(folder, each));
    writeFileSync(join(folder, 'cni/10-pods.conflist'), JSON.stringify(network(folder, addresses)));
    writeFileSync(join(folder, 'containerd.toml'), configuration(folder, containers));
    const log = openSync(join(folder, 'containerd.log'), 'a');
    // containerd's own programs come first: they start themselves again, which the wrappers of others would break.
    const path = [
      dirname(shim.paths.shim),
      containers.paths.shims,
      containers.paths.wrapped,
      process.env['PATH'],
    ];
    const namespaces = await Namespaces.start(
      containers.paths.containerd,
      ['-c', join(folder, 'containerd.toml')],
      { ...process.env, PATH: path.join(':') },
      log,
    );
    closeSync(log);
    const ctr = [containers.paths.ctr, '-a', join(folder, 'c.sock'), '-n', 'k8s.io'];
    await until(
      () => existsSync(join(folder, 'c.sock')),
      () => readFileSync(join(folder, 'containerd.log'), 'utf8'),
    );
    const node = new PodNode(folder, namespaces, ctr);
    await node.#untilReady();
    return node;
  }

  async #untilReady(): Promise<void> {
    const end = performance.now() + READY_WITHIN_MS;
    for (;;) {
      const { status } = await this.cri.call('Status', {}).catch(() => ({ status: undefined }));
      const conditions = status?.conditions ?? [];
      if (conditions.length > 0 && conditions.every((condition) => condition.status)) return;
      if (performance.now() > end) throw new Error(`containerd is not ready: ${JSON.stringify(conditions)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Puts the images of an archive (an OCI layout in a tar) into containerd, as `repository:tag`. */
  importImage(archive: string, repository: string): void {
    const [program, ...flags] = this.#ctr as [string, ...string[]];
    this.namespaces.run(program, ...flags, 'images', 'import', '--base-name', repository, archive);
  }

  /** A file in the node's folder; returns its path. */
  writeFile(name: string, text: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, text);
    return file;
  }

  async startPod(options: PodOptions): Promise<Pod> {
    return await startPod(this, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cri[Symbol.dispose]();
    await this.namespaces[Symbol.asyncDispose]();
    remove(this.name);
  }
}

function network(folder: string, subnet: string): object {
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'pods0',
        isGateway: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet }]],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: join(folder, 'addresses'),
        },
      },
      { type: 'loopback' },
    ],
  };
}

function configuration(folder: string, { paths }: NodeParts['containers']): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  const crun = (handler: string, annotations: string) => `
[${cri}.containerd.runtimes.${handler}]
  runtime_type = "io.containerd.runc.v2"
  ${annotations}
  [${cri}.containerd.runtimes.${handler}.options]
    BinaryName = "${paths.crun}"`;
  return `version = 2
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = [
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri",
]
[grpc]
  address = "${folder}/c.sock"
[ttrpc]
  address = "${folder}/t.sock"
[${cri}]
  sandbox_image = "${PAUSE_IMAGE}"
  disable_apparmor = true
  restrict_oom_score_adj = true
[${cri}.cni]
  bin_dir = "${paths.cni}"
  conf_dir = "${folder}/cni"
# A folder NAME with a file hosts.toml says where the registry NAME is.
[${cri}.registry]
  config_path = "${folder}/registries"
[${cri}.containerd]
  default_runtime_name = "linux"
${crun('linux', '')}
${crun('wasmedge', 'pod_annotations = ["module.wasm.image/variant", "run.oci.handler"]')}
[${cri}.containerd.runtimes.wasmedge-shim]
  runtime_type = "io.containerd.wasmedge.v1"
`;
}

async function until(done: () => boolean, otherwise: () => string): Promise<void> {
  const end = performance.now() + READY_WITHIN_MS;
  while (!done()) {
    if (performance.now() > end) throw new Error(`containerd did not start: ${otherwise().slice(-2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Why pods cannot be run on this machine, or undefined. */
export function nodeObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'pods run on Linux only';
  if (process.getuid?.() !== 0) return 'pods need root';
  const tried = spawnSync('unshare', ['--mount', '--net', '--pid', '--fork', 'ip', 'link', 'show', 'lo']);
  return tried.status === 0
    ? undefined
    : 'pods need namespaces (unshare and ip), which this machine does not allow';
}
