/** The functions that gateway and pods are compared with: AssemblyScript, C by both contracts, Rust, and hand-written ones. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arenaBytes, encodePodSettings, type PodSettings } from '../../../src/pods/settings.ts';
import { linkPod } from '../../../src/pods/link/link.ts';
import { builtFunction, ROOT } from './builds.ts';
import { WAGI_SCRIPT } from '../wagi-script.ts';
import { assemble } from '../wat.ts';

/** One function has a route of its own kind, to see 404, 405 and OPTIONS. */
const ROUTES = {
  sdk: [{ path: '/*', methods: null }],
  shop: [
    { path: '/api/function', methods: ['POST'] },
    { path: '/api/status', methods: ['GET'] },
    { path: '/api/*', methods: ['GET', 'PUT'] },
  ],
  greeter: [{ path: '/*', methods: null }],
  ledger: [{ path: '/*', methods: null }],
  shipping: [{ path: '/shipping', methods: ['GET', 'POST'] }],
  script: [{ path: '/*', methods: null }],
  hostile: [{ path: '/*', methods: null }],
} as const;

export type GuestName = keyof typeof ROUTES;
export const GUESTS = Object.keys(ROUTES) as GuestName[];

const ENV: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sdk: { GREETING: 'Grüße & "quotes"\nsecond line', EMPTY: '' },
  greeter: { GREETING: 'hi ' },
  ledger: { GREETING: 'grüezi ' },
  hostile: { GREETING: 'hello' },
  shipping: { CURRENCY: 'EUR' },
  script: { PLAIN: 'Grüße für 5 €', HTTP_X_MINE: 'not yours', SERVER_NAME: 'mine', CONTENT_TYPE: 'mine/too' },
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

export async function parityModule(name: GuestName): Promise<Uint8Array> {
  switch (name) {
    case 'sdk':
      return await builtFunction('test/fixtures/guests/sdk.ts');
    case 'shop':
      return await builtFunction('examples/flash-sale/function.ts');
    case 'greeter':
      return readFileSync(join(ROOT, 'test/fixtures/handler-c/handler.wasm'));
    case 'ledger':
      return readFileSync(join(ROOT, 'test/fixtures/handler-rust/handler.wasm'));
    case 'shipping':
      return readFileSync(join(ROOT, 'examples/wagi/shipping.wasm'));
    case 'script':
      return await assembled(WAGI_SCRIPT);
    case 'hostile':
      return await assembled(join(ROOT, 'test/fixtures/hostile/guest.wat'));
  }
}

async function assembled(source: string): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-parity-'));
  try {
    await assemble(source, join(folder, 'out.wasm'));
    return readFileSync(join(folder, 'out.wasm'));
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
