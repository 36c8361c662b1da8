/** A real Kubernetes control plane on the loopback: etcd, API server and, when asked, the stock controllers, the scheduler and nodes that only pretend. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FoundPart } from '../../../scripts/parts/part.ts';
import { freePorts } from '../../support/free-port.ts';

export interface ControlPlaneParts {
  readonly kube: FoundPart<'kube'>;
  readonly etcd: FoundPart<'etcd'>;
}

/** What a test may want otherwise than most. */
export interface ControlPlaneOptions {
  /** Nodes that will come, by name. */
  readonly nodes?: readonly string[];
  readonly apiServer?: Flags;
  readonly controllers?: Flags;
}

type Flags = Readonly<Record<string, string | number | boolean>>;

const READY_WITHIN_MS = 60_000;

export class ControlPlane implements AsyncDisposable {
  readonly folder: string;
  /** The kubeconfig of an administrator. */
  readonly kubeconfig: string;
  readonly #parts: ControlPlaneParts;
  readonly #options: ControlPlaneOptions;
  readonly #ports: Ports;
  readonly #running = new Map<string, ChildProcess>();

  private constructor(folder: string, parts: ControlPlaneParts, options: ControlPlaneOptions, ports: Ports) {
    this.folder = folder;
    this.kubeconfig = join(folder, 'admin.kubeconfig');
    this.#parts = parts;
    this.#options = options;
    this.#ports = ports;
  }

  static async start(parts: ControlPlaneParts, options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const folder = mkdtempSync(join(tmpdir(), 'mayfly-kubernetes-'));
    const [etcd = 0, peer = 0, api = 0, controllers = 0, scheduler = 0] = await freePorts(5);
    const plane = new ControlPlane(folder, parts, options, { etcd, peer, api, controllers, scheduler });
    try {
      plane.kubeconfigOf('admin', makeCredentials(folder, options.nodes ?? []));
      plane.#startEtcd();
      await plane.startApiServer();
    } catch (error) {
      await plane[Symbol.asyncDispose]();
      throw error;
    }
    return plane;
  }

  /** Writes a kubeconfig for whoever has `token`; answers its path. */
  kubeconfigOf(user: string, token: string): string {
    const ca = readFileSync(join(this.folder, 'pki', 'ca.crt')).toString('base64');
    const cluster = { server: `https://127.0.0.1:${this.#ports.api}`, 'certificate-authority-data': ca };
    const file = join(this.folder, `${user}.kubeconfig`);
    const content = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user } }],
      'current-context': 'test',
    };
    writeFileSync(file, JSON.stringify(content));
    return file;
  }

  get apiPort(): number {
    return this.#ports.api;
  }

  get adminToken(): string {
    return readFileSync(join(this.folder, 'pki', 'admin.token'), 'utf8');
  }

  /** With what the kubelet of a node, or `kube-proxy`, says who it is. */
  kubeconfigOfPart(name: string): string {
    return this.kubeconfigOf(name, readFileSync(join(this.folder, 'pki', `${name}.token`), 'utf8'));
  }

  #startEtcd(): void {
    const client = `http://127.0.0.1:${this.#ports.etcd}`;
    const peer = `http://127.0.0.1:${this.#ports.peer}`;
    this.#spawn('etcd', this.#parts.etcd.paths.etcd, {
      'data-dir': join(this.folder, 'etcd'),
      'unsafe-no-fsync': true,
      'log-level': 'warn',
      'listen-client-urls': client,
      'advertise-client-urls': client,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': `default=${peer}`,
    });
  }

  async startApiServer(): Promise<void> {
    const file = (name: string) => join(this.folder, 'pki', name);
    this.#spawn('apiserver', this.#parts.kube.paths.kube, {
      'etcd-servers': `http://127.0.0.1:${this.#ports.etcd}`,
      'bind-address': '127.0.0.1',
      'advertise-address': '127.0.0.1',
      'secure-port': this.#ports.api,
      'endpoint-reconciler-type': 'none',
      'tls-cert-file': file('apiserver.crt'),
      'tls-private-key-file': file('apiserver.key'),
      'client-ca-file': file('ca.crt'),
      'token-auth-file': file('tokens.csv'),
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-key-file': file('sa.key'),
      'service-account-signing-key-file': file('sa.key'),
      'authorization-mode': 'Node,RBAC',
      'service-cluster-ip-range': '10.43.0.0/16',
      // API servers of others behind this one (APIService) know it by this certificate.
      'requestheader-client-ca-file': file('ca.crt'),
      'requestheader-allowed-names': 'front-proxy',
      'requestheader-username-headers': 'X-Remote-User',
      'requestheader-group-headers': 'X-Remote-Group',
      'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
      'proxy-client-cert-file': file('front-proxy.crt'),
      'proxy-client-key-file': file('front-proxy.key'),
      ...this.#options.apiServer,
    });
    await this.#until('apiserver', () => this.#answers(this.#ports.api, '/readyz'));
  }

  /** Deployments get pods (that no node runs), and what has no owner any more is collected. */
  async startControllers(): Promise<void> {
    this.#spawn('controller-manager', this.#parts.kube.paths.kube, {
      kubeconfig: this.kubeconfig,
      'authentication-kubeconfig': this.kubeconfig,
      'authorization-kubeconfig': this.kubeconfig,
      'leader-elect': false,
      // The stock limit of 20 requests a second makes 20 pods a second.
      'kube-api-qps': 1000,
      'kube-api-burst': 2000,
      'service-account-private-key-file': join(this.folder, 'pki', 'sa.key'),
      'root-ca-file': join(this.folder, 'pki', 'ca.crt'),
      'bind-address': '127.0.0.1',
      'secure-port': this.#ports.controllers,
      'flex-volume-plugin-dir': join(this.folder, 'flex'),
      ...this.#options.controllers,
    });
    // Admission refuses every pod until its namespace has a service account.
    await this.#until('controller-manager', () =>
      this.#answers(this.#ports.api, '/api/v1/namespaces/default/serviceaccounts/default'),
    );
  }

  /** Pods are given to nodes. */
  async startScheduler(): Promise<void> {
    this.#spawn('scheduler', this.#parts.kube.paths.kube, {
      kubeconfig: this.kubeconfig,
      'authentication-kubeconfig': this.kubeconfig,
      'authorization-kubeconfig': this.kubeconfig,
      'leader-elect': false,
      'bind-address': '127.0.0.1',
      'secure-port': this.#ports.scheduler,
    });
    await this.#until('scheduler', () => this.#answers(this.#ports.scheduler, '/healthz', false));
  }

  /** Nodes with the annotation `kwok.x-k8s.io/node: fake` say that they run their pods. */
  startKwok(kwok: FoundPart<'kwok'>): void {
    const config = join(this.folder, 'kwok.yaml');
    // As it comes, four pods at a time get their next state.
    const options = { podPlayStageParallelism: 32 };
    const kind = { apiVersion: 'config.kwok.x-k8s.io/v1alpha1', kind: 'KwokConfiguration' };
    writeFileSync(config, JSON.stringify({ ...kind, options }));
    this.#spawn('kwok', kwok.paths.kwok, {
      config,
      kubeconfig: this.kubeconfig,
      'manage-all-nodes': false,
      'manage-nodes-with-annotation-selector': 'kwok.x-k8s.io/node=fake',
      'node-lease-duration-seconds': 40,
      cidr: '10.200.0.0/16',
    });
  }

  /** As a power cut does it. */
  async killApiServer(): Promise<void> {
    await this.#end('apiserver', 'SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of ['kwok', 'scheduler', 'controller-manager', 'apiserver', 'etcd'])
      await this.#end(name, 'SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  #spawn(name: string, program: string, flags: Flags): void {
    // One program is all parts of Kubernetes; the first argument says which.
    const first = program === this.#parts.kube.paths.kube ? [name] : [];
    const args = [...first, ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)];
    const log = openSync(join(this.folder, `${name}.log`), 'a');
    this.#running.set(name, spawn(program, args, { stdio: ['ignore', log, log], cwd: this.folder }));
    closeSync(log);
  }

  async #end(name: string, signal: NodeJS.Signals): Promise<void> {
    const child = this.#running.get(name);
    this.#running.delete(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  async #until(name: string, done: () => boolean): Promise<void> {
    const end = performance.now() + READY_WITHIN_MS;
    while (!done()) {
      if (this.#running.get(name)?.exitCode != null || performance.now() > end) {
        throw new Error(`${name} did not start: ${this.log(name).slice(-2000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  log(name: string): string {
    return readFileSync(join(this.folder, `${name}.log`), 'utf8');
  }

  /** `trusted`: its certificate is of our authority; the others make themselves one. */
  #answers(port: number, path: string, trusted = true): boolean {
    const trust = trusted ? ['--cacert', join(this.folder, 'pki', 'ca.crt')] : ['--insecure'];
    const url = `https://127.0.0.1:${port}${path}`;
    const header = `Authorization: Bearer ${this.adminToken}`;
    const { status } = spawnSync('curl', ['-sf', '-o', '/dev/null', ...trust, '-H', header, url]);
    return status === 0;
  }
}

interface Ports {
  readonly etcd: number;
  readonly peer: number;
  readonly api: number;
  readonly controllers: number;
  readonly scheduler: number;
}

/** The token of an administrator. */
function makeCredentials(folder: string, nodes: readonly string[]): string {
  const pki = join(folder, 'pki');
  mkdirSync(pki);
  const openssl = (...args: string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: pki, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...curve, '-days', '2', '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.crt');
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
  const certificate = (name: string, subject: string, extensions: string) => {
    writeFileSync(join(pki, 'extensions'), extensions);
    openssl('req', ...curve, '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-extfile', 'extensions', '-out', `${name}.crt`);
  };
  const names = 'DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.43.0.1';
  certificate('apiserver', '/CN=kube-apiserver', `subjectAltName=${names}\n`);
  certificate('front-proxy', '/CN=front-proxy', 'extendedKeyUsage=clientAuth\n');
  openssl('genrsa', '-out', 'sa.key', '2048');
  const lines: string[] = [];
  const token = (name: string, user: string, group: string) => {
    const secret = crypto.randomUUID();
    writeFileSync(join(pki, `${name}.token`), secret);
    lines.push(`${secret},${user},${user},${group}\n`);
    return secret;
  };
  for (const node of nodes) token(node, `system:node:${node}`, 'system:nodes');
  token('kube-proxy', 'system:kube-proxy', 'system:authenticated');
  const admin = token('admin', 'admin', 'system:masters');
  writeFileSync(join(pki, 'tokens.csv'), lines.join(''));
  return admin;
}
