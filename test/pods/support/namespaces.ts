/**
 * A machine within the machine: processes, mounts and network of its own, in which containerd and its pods run. It ends
 * with us: its first process reads from a pipe of ours, and when the pipe closes the kernel kills all that is inside.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Abilities } from './agent.ts';

const CNI_STATE = '/var/lib/cni';
const AGENT = join(import.meta.dirname, 'agent.ts');

/**
 * crun refuses a machine that has cgroup v2 mounted beside v1, so the former is hidden. The fixed folders of containerd
 * and CNI are replaced by empty ones. $1 is the program to run, with its arguments.
 */
const FIRST_PROCESS = `
set -e
mount --make-rprivate /
umount /sys/fs/cgroup/unified 2>/dev/null || true
mount -t tmpfs none /run
mkdir /run/netns /run/containerd
mount -t tmpfs none ${CNI_STATE}
ip link set lo up
"$@" &
cat > /dev/null
`;

type Promised<F> = F extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;

export class Namespaces implements AsyncDisposable {
  /** What runs inside: requests to pods, signals, files. */
  readonly inside: { readonly [K in keyof Abilities]: Promised<Abilities[K]> };
  readonly #unshare: ChildProcess;
  readonly #agent: ChildProcess;
  readonly #first: number;
  readonly #madeFolder: boolean;
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  #calls = 0;

  private constructor(unshare: ChildProcess, agent: ChildProcess, first: number, madeFolder: boolean) {
    this.#unshare = unshare;
    this.#agent = agent;
    this.#first = first;
    this.#madeFolder = madeFolder;
    agent.on('message', (message: { id: number; value?: unknown; error?: string }) => {
      const call = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.error === undefined) call?.resolve(message.value);
      else call?.reject(new Error(message.error));
    });
    const call =
      (name: string) =>
      (...args: unknown[]) =>
        this.#call(name, args);
    this.inside = new Proxy({}, { get: (_, name) => call(String(name)) }) as typeof this.inside;
  }

  /** Starts `program` inside; what it prints goes to the file descriptor `log`. */
  static async start(
    program: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    log: number,
  ): Promise<Namespaces> {
    const madeFolder = mkdirSync(CNI_STATE, { recursive: true }) !== undefined;
    const flags = ['--mount', '--net', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc'];
    const unshare = spawn('unshare', [...flags, 'sh', '-c', FIRST_PROCESS, 'sh', program, ...args], {
      env,
      stdio: ['pipe', log, log],
    });
    await once(unshare, 'spawn');
    const first = await childOf(unshare.pid as number);
    const agent = spawn('nsenter', [...into(first), process.execPath, AGENT], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    await Promise.race([
      once(agent, 'message'),
      once(agent, 'exit').then(() => {
        throw new Error('the helper inside the namespaces did not start');
      }),
    ]);
    return new Namespaces(unshare, agent, first, madeFolder);
  }

  /** Runs a program inside and returns what it printed. */
  run(program: string, ...args: string[]): string {
    const done = spawnSync('nsenter', [...into(this.#first), program, ...args], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    if (done.status !== 0)
      throw new Error(`${program} ${args.join(' ')}: ${done.stderr || done.error?.message}`);
    return done.stdout;
  }

  /** Starts a program inside that goes on; returns its process number inside. It ends with the namespaces at the latest. */
  async start(
    program: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    log: number,
  ): Promise<number> {
    const say = 'echo $$; exec "$@" >&2';
    const child = spawn('nsenter', [...into(this.#first), 'sh', '-c', say, 'sh', program, ...args], {
      env,
      stdio: ['ignore', 'pipe', log],
    });
    const said = once(child.stdout as NodeJS.ReadableStream, 'data');
    const [line] = (await Promise.race([said, once(child, 'exit')])) as [unknown];
    if (!(line instanceof Buffer)) throw new Error(`${program} did not start in the namespaces`);
    return Number(line.toString());
  }

  /** A cable between two machines; at both ends it is called `name`. */
  connect(other: Namespaces, name: string): void {
    const peer = ['peer', 'name', name, 'netns', String(other.#first)];
    // Only the network of this one is entered: process numbers are those of the machine outside.
    const enter = ['-t', String(this.#first), '--net'];
    const done = spawnSync('nsenter', [...enter, 'ip', 'link', 'add', name, 'type', 'veth', ...peer], {
      encoding: 'utf8',
    });
    if (done.status !== 0) throw new Error(`ip link add ${name}: ${done.stderr}`);
  }

  #call(name: string, args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#agent.send({ id, name, args });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.disconnect();
    const ended = once(this.#unshare, 'exit');
    this.#unshare.stdin?.end();
    await ended;
    if (this.#madeFolder) rmdirSync(CNI_STATE);
  }
}

function into(pid: number): string[] {
  return ['-t', String(pid), '--mount', '--net', '--pid'];
}

async function childOf(pid: number): Promise<number> {
  for (let tries = 0; tries < 500; tries += 1) {
    const child = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    if (child !== '') {
      // The child is there before it has its own mounts; it has them when it has become the shell.
      const name = readFileSync(`/proc/${child}/comm`, 'utf8').trim();
      if (name === 'sh') return Number(child);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the namespaces did not start');
}
