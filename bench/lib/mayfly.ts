/** Mayfly itself as a server under test: the program that users start, on a folder made for the occasion. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { freePort, Server } from './process.ts';
import { SECRET } from './tokens.ts';

const ROOT = join(import.meta.dirname, '../..');
const SHOP = join(ROOT, 'examples/flash-sale');
const PROGRAM = join(ROOT, 'bin/mayfly.js');

export interface MayflyFunction {
  /** A `.wasm` or `.ts` file, as the configuration names it. */
  readonly source: string;
  readonly routes: readonly Readonly<Record<string, unknown>>[];
  readonly [setting: string]: unknown;
}

export interface MayflyConfig {
  readonly functions: Readonly<Record<string, MayflyFunction>>;
  readonly policy?: Readonly<Record<string, unknown>> | undefined;
  /** Sections of mayfly.yaml over the benchmark's own. */
  readonly sections?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface StartOptions {
  readonly nodeFlags?: readonly string[];
  readonly threads?: number;
  /** What the server is started by: `['taskset', '-c', '0']` keeps it on the first core. */
  readonly prefix?: readonly string[];
}

export interface RunningMayfly {
  readonly server: Server;
  readonly port: number;
  readonly adminPort: number;
  readonly adminToken: () => string;
  /** The text of /metrics. */
  metrics(): Promise<string>;
}

/** The shop as it is sold: examples/flash-sale with token, policy, and a rate limit that counts and never refuses. */
export const shopConfig: MayflyConfig = {
  functions: {
    orders: {
      source: './function.ts',
      routes: [
        { path: '/api/function', methods: ['POST'] },
        { path: '/api/status', methods: ['GET'] },
      ],
    },
  },
  policy: { files: ['policy.rego'], rule: 'data.serverless.allow' },
};

/** A folder with the shop's sources. */
export function shopFolder(scratch: string, name = 'shop'): string {
  const folder = join(scratch, name);
  mkdirSync(folder, { recursive: true });
  for (const file of ['function.ts', 'catalogue.ts', 'order.ts', 'pricing.ts', 'policy.rego']) {
    cpSync(join(SHOP, file), join(folder, file));
  }
  return folder;
}

/** Builds a function's source to a module, as `mayfly build` does. Returns the module's path. */
export async function buildFunction(source: string, out: string): Promise<string> {
  await promisify(execFile)(process.execPath, [PROGRAM, 'build', source, '--out', out], { timeout: 120_000 });
  return out;
}

/** Starts `mayfly serve` on `folder`. The caller waits for its first answer with `server.ready`. */
export async function startMayfly(
  folder: string,
  config: MayflyConfig,
  options: StartOptions = {},
): Promise<RunningMayfly> {
  const [port, adminPort, metricsPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const sections: Record<string, Readonly<Record<string, unknown>>> = {
    server: { host: '127.0.0.1', port, ...(options.threads !== undefined && { threads: options.threads }) },
    rate_limit: { requests_per_second: 1_000_000, burst_size: 1_000_000 },
    security: { jwt_secret: SECRET, token_expiry: '24h' },
    admin: { port: adminPort, host: '127.0.0.1' },
    monitoring: { metrics_port: metricsPort, host: '127.0.0.1' },
    logging: { level: 'warn' },
  };
  for (const [name, section] of Object.entries(config.sections ?? {})) {
    sections[name] = { ...sections[name], ...section };
  }
  const { functions, policy } = config;
  writeFileSync(
    join(folder, 'mayfly.yaml'),
    stringify({ ...sections, functions, ...(policy && { policy }) }),
  );
  const server = new Server({
    name: 'Mayfly',
    command: [
      ...(options.prefix ?? []),
      process.execPath,
      ...(options.nodeFlags ?? []),
      PROGRAM,
      'serve',
      folder,
    ],
    cwd: folder,
    logFile: join(folder, 'mayfly.log'),
  });
  return {
    server,
    port,
    adminPort,
    adminToken: () => readFileSync(join(folder, '.mayfly/admin-token'), 'utf8').trim(),
    metrics: async () => {
      const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, {
        signal: AbortSignal.timeout(10_000),
      });
      return response.text();
    },
  };
}
