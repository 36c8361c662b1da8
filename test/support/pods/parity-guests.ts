/** The functions that gateway and pods are compared with: AssemblyScript, C by both contracts, and hand-written ones. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFunction } from '../../../src/build/build.ts';
import { arenaBytes, encodePodSettings, type PodSettings } from '../../../src/pods/settings.ts';
import { linkPod } from '../../../src/pods/link/link.ts';
import { WAGI_SCRIPT } from '../wagi-script.ts';
import { assemble } from '../wat.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** One function has a route of its own kind, to see 404, 405 and OPTIONS. */
const ROUTES = {
  sdk: [{ path: '/*', methods: null }],
  shop: [
    { path: '/api/function', methods: ['POST'] },
    { path: '/api/status', methods: ['GET'] },
    { path: '/api/*', methods: ['GET', 'PUT'] },
  ],
  greeter: [{ path: '/*', methods: null }],
  shipping: [{ path: '/shipping', methods: ['GET', 'POST'] }],
  script: [{ path: '/*', methods: null }],
  hostile: [{ path: '/*', methods: null }],
} as const;

export type GuestName = keyof typeof ROUTES;
export const GUESTS = Object.keys(ROUTES) as GuestName[];

const ENV: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sdk: { GREETING: 'Grüße & "quotes"\nsecond line', EMPTY: '' },
  greeter: { GREETING: 'hi ' },
  hostile: { GREETING: 'hello' },
  shipping: { CURRENCY: 'EUR' },
  script: { PLAIN: 'value', HTTP_X_MINE: 'not yours', SERVER_NAME: 'mine', CONTENT_TYPE: 'mine/too' },
};

const LIMITS = {
  requestTimeoutMs: 10_000,
  cpuBudgetMs: 300,
  maxRequestBodyBytes: 100_000,
  maxResponseBodyBytes: 60_000,
};
const MEMORY = 4 * 2 ** 20;

/** Every function answers at a host of its own, `NAME.test`. */
export function parityConfig(head: string): string {
  const functions = GUESTS.map((name) => ({
    [name]: {
      source: `${name}.wasm`,
      env: ENV[name] ?? {},
      routes: ROUTES[name].map(({ path, methods }) => ({
        host: `${name}.test`,
        path,
        ...(methods !== null && { methods }),
      })),
    },
  }));
  return `${head}
security: { rate_limit_enabled: false }
function: { memory_limit: ${MEMORY}, cpu_budget: ${LIMITS.cpuBudgetMs}ms, request_timeout: 10s, max_request_body: ${LIMITS.maxRequestBodyBytes}, max_response_body: ${LIMITS.maxResponseBodyBytes} }
functions: ${JSON.stringify(Object.assign({}, ...functions))}
`;
}

export async function parityModules(): Promise<Record<GuestName, Uint8Array>> {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-parity-'));
  try {
    const assembled = async (source: string): Promise<Uint8Array> => {
      await assemble(source, join(folder, 'out.wasm'));
      return readFileSync(join(folder, 'out.wasm'));
    };
    const built = async (source: string): Promise<Uint8Array> =>
      (await buildFunction({ source: join(ROOT, source), cache: folder })).wasm;
    return {
      sdk: await built('test/fixtures/guests/sdk.ts'),
      shop: await built('examples/flash-sale/function.ts'),
      greeter: readFileSync(join(ROOT, 'test/fixtures/handler-c/handler.wasm')),
      shipping: readFileSync(join(ROOT, 'examples/wagi/shipping.wasm')),
      script: await assembled(WAGI_SCRIPT),
      hostile: await assembled(join(ROOT, 'test/fixtures/hostile/guest.wat')),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The same function as a pod, with the settings that the configuration comes to. */
export function parityPod(name: GuestName, wasm: Uint8Array, adapter: Uint8Array): Uint8Array {
  const settings: PodSettings = {
    name,
    host: '127.0.0.1',
    port: 8080,
    logLevel: 'info',
    http: {
      maxHeadBytes: 16_384,
      maxHeaders: 100,
      maxTargetBytes: 8192,
      timeoutMs: 30_000,
      maxConnections: 1000,
    },
    limits: LIMITS,
    env: ENV[name] ?? {},
    routes: ROUTES[name].map((route) => ({ ...route, host: `${name}.test` })),
  };
  return linkPod(wasm, adapter, {
    memoryBytes: MEMORY,
    arenaBytes: arenaBytes(settings),
    settings: encodePodSettings(settings),
  });
}
