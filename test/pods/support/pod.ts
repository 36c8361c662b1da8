/** One pod with one container, as a kubelet would start it: through CRI, with the security context of our deployments. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answered, Asked } from './agent.ts';
import { CONTAINER, EXITED, POD } from './cri/messages.ts';
import type { Handler, PodNode } from './node.ts';

export interface PodOptions {
  readonly handler: Handler;
  readonly image: string;
  /** Replaces the entry point of the image. */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** All containers of the pod in one PID namespace, the pause process first (`shareProcessNamespace`). */
  readonly sharedProcesses?: boolean;
  readonly memoryBytes?: number;
  /** Thousandths of a core. */
  readonly cpuMillis?: number;
  /** Read-only mounts: path in the container → path on this machine. */
  readonly mounts?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly exitCode: number;
  readonly reason: string;
}

const PORT = 8080;
const NOBODY = 65_534;
const PERIOD_US = 100_000;
const FIRST_ANSWER_MS = 20_000;
const ENDED_WITHIN_MS = 20_000;

let pods = 0;

export async function startPod(node: PodNode, options: PodOptions): Promise<Pod> {
  pods += 1;
  const namespaces = {
    network: POD,
    ipc: POD,
    pid: options.sharedProcesses === true ? POD : CONTAINER,
  };
  const name = `pod-${process.pid}-${pods}`;
  const sandbox = {
    metadata: { name, uid: name, namespace: 'default', attempt: 0 },
    hostname: name,
    log_directory: join(node.folder, 'logs'),
    // What a kubelet passes on from the pod's template: crun takes it as the sign that the entry point is WebAssembly.
    annotations: options.handler === 'wasmedge' ? { 'module.wasm.image/variant': 'compat-smart' } : {},
    linux: { cgroup_parent: node.cgroup, security_context: { namespace_options: namespaces } },
  };
  const started = performance.now();
  const { pod_sandbox_id: id = '' } = await node.cri.call('RunPodSandbox', {
    config: sandbox,
    runtime_handler: options.handler,
  });
  const { status } = await node.cri.call('PodSandboxStatus', { pod_sandbox_id: id });
  const pod = new Pod(node, options, {
    id,
    started,
    config: sandbox,
    namespaces,
    ip: status?.network?.ip ?? '',
  });
  try {
    await pod.startContainer();
  } catch (error) {
    await pod[Symbol.asyncDispose]();
    throw error;
  }
  return pod;
}

interface Sandbox {
  readonly id: string;
  readonly ip: string;
  readonly started: number;
  readonly namespaces: { readonly network: number; readonly ipc: number; readonly pid: number };
  readonly config: object;
}

export class Pod implements AsyncDisposable {
  readonly ip: string;
  /** When the sandbox and the last container were asked for, by performance.now(). */
  readonly sandboxStarted: number;
  containerStarted = 0;
  readonly #node: PodNode;
  readonly #options: PodOptions;
  readonly #sandbox: Sandbox;
  #container = '';
  #attempt = -1;

  constructor(node: PodNode, options: PodOptions, sandbox: Sandbox) {
    this.#node = node;
    this.#options = options;
    this.#sandbox = sandbox;
    this.ip = sandbox.ip;
    this.sandboxStarted = sandbox.started;
  }

  /** Starts the container; after its end, a new one in the same sandbox, as a kubelet restarts it. */
  async startContainer(): Promise<void> {
    this.#attempt += 1;
    this.containerStarted = performance.now();
    const { image, command = [], args = [], env = {}, mounts = {} } = this.#options;
    const { container_id: id = '' } = await this.#node.cri.call('CreateContainer', {
      pod_sandbox_id: this.#sandbox.id,
      sandbox_config: this.#sandbox.config,
      config: {
        metadata: { name: 'function', attempt: this.#attempt },
        image: { image },
        command,
        args,
        envs: Object.entries({ PORT: String(PORT), ...env }).map(([key, value]) => ({ key, value })),
        mounts: Object.entries(mounts).map(([container_path, host_path]) => ({
          container_path,
          host_path,
          readonly: true,
        })),
        log_path: this.#logName(),
        linux: { resources: resources(this.#options), security_context: this.#security() },
      },
    });
    this.#container = id;
    await this.#node.cri.call('StartContainer', { container_id: id });
  }

  #security() {
    return {
      run_as_user: { value: NOBODY },
      run_as_group: { value: NOBODY },
      readonly_rootfs: true,
      no_new_privs: true,
      capabilities: { drop_capabilities: ['ALL'] },
      namespace_options: this.#sandbox.namespaces,
      seccomp: { profile_type: 0 },
    };
  }

  #logName(): string {
    return `${this.#sandbox.id}-${this.#attempt}.log`;
  }

  /** What the container wrote, a line each, in the order of writing. */
  logs(): string[] {
    return readFileSync(join(this.#node.folder, 'logs', this.#logName()), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ').slice(3).join(' '));
  }

  ask(path: string, more: Partial<Asked> = {}): Promise<Answered> {
    return this.#node.namespaces.inside.request({ host: this.ip, port: PORT, path, ...more });
  }

  /** The first answer of the container, however long its start takes. */
  firstAnswer(path: string, more: Partial<Asked> = {}): Promise<Answered> {
    const asked = { host: this.ip, port: PORT, path, ...more };
    return this.#node.namespaces.inside.firstAnswer(asked, FIRST_ANSWER_MS);
  }

  /** The process of the container, as the node counts. */
  async pid(): Promise<number> {
    const { info } = await this.#node.cri.call('ContainerStatus', {
      container_id: this.#container,
      verbose: true,
    });
    return (JSON.parse(info?.['info'] ?? '{}') as { pid: number }).pid;
  }

  /** What /proc says about that process. */
  async processFile(name: string): Promise<string> {
    return await this.#node.namespaces.inside.read(`/proc/${await this.pid()}/${name}`);
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    await this.#node.namespaces.inside.kill(await this.pid(), signal);
  }

  async proportionalBytes(): Promise<number> {
    return await this.#node.namespaces.inside.proportionalBytes(await this.pid());
  }

  /** The first number in a file of the container's group: cgroup v1's name of the file, and v2's. */
  async groupNumber(controller: string, v1: string, v2: string): Promise<number> {
    const groups = await this.processFile('cgroup');
    const own = new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, 'm').exec(groups)?.[1];
    const unified = /^0::(.*)$/m.exec(groups)?.[1] ?? '';
    const file =
      own === undefined ? `/sys/fs/cgroup${unified}/${v2}` : `/sys/fs/cgroup/${controller}${own}/${v1}`;
    return Number.parseInt(await this.#node.namespaces.inside.read(file), 10);
  }

  /** Waits for the container's end. */
  async ended(): Promise<Ended> {
    const end = performance.now() + ENDED_WITHIN_MS;
    for (;;) {
      const { status } = await this.#node.cri.call('ContainerStatus', { container_id: this.#container });
      if (status?.state === EXITED) return { exitCode: status.exit_code ?? 0, reason: status.reason ?? '' };
      if (performance.now() > end) throw new Error('the container still runs');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** SIGTERM, and SIGKILL after the grace period. */
  async stop(graceSeconds: number): Promise<Ended> {
    await this.#node.cri.call('StopContainer', { container_id: this.#container, timeout: graceSeconds });
    return await this.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node.cri.call('StopPodSandbox', { pod_sandbox_id: this.#sandbox.id });
    await this.#node.cri.call('RemovePodSandbox', { pod_sandbox_id: this.#sandbox.id });
  }
}

function resources({ memoryBytes, cpuMillis }: PodOptions) {
  return {
    ...(memoryBytes === undefined ? {} : { memory_limit_in_bytes: memoryBytes }),
    ...(cpuMillis === undefined ? {} : { cpu_period: PERIOD_US, cpu_quota: (cpuMillis * PERIOD_US) / 1000 }),
  };
}
