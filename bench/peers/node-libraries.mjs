// node:http cluster with the libraries that one reaches for: jose, opa-wasm, a Prometheus client; a token bucket in a Map.
// The same module as Mayfly's, in one instance per process that keeps its state from request to request.
import cluster from 'node:cluster';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { call, imports, REUSE } from './frame.mjs';

const { PORT, MODULE, POLICY, SECRET, PACKAGES, CACHE_TOKENS } = process.env;
const PROCESSES = 2;
const BURST = 1_000_000;

if (cluster.isPrimary) {
  for (let i = 0; i < PROCESSES; i++) cluster.fork();
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGKILL');
    process.exit(0);
  });
} else {
  const require = createRequire(join(PACKAGES, 'package.json'));
  const { jwtVerify } = await import(pathToFileURL(require.resolve('jose')));
  const { loadPolicySync } = require('@open-policy-agent/opa-wasm');
  const { Counter, Histogram } = require('@prometheus-io/client');
  const labelNames = ['route', 'method', 'status'];
  const requests = new Counter({ name: 'requests_total', help: 'Requests.', labelNames });
  const durations = new Histogram({ name: 'request_duration_seconds', help: 'Duration.', labelNames });
  const policy = loadPolicySync(readFileSync(POLICY));
  policy.setData({});
  const secret = Buffer.from(SECRET);
  const module = new WebAssembly.Module(readFileSync(MODULE));
  let instance = new WebAssembly.Instance(module, imports).exports;
  let served = 0;
  const buckets = new Map();
  const users = new Map();

  const verify = async (token) => (await jwtVerify(token, secret, { algorithms: ['HS256'] })).payload;

  /** A cache as one writes it in an afternoon: never emptied, and it looks at the expiry. */
  async function remembered(token) {
    let user = users.get(token);
    if (user === undefined || user.exp * 1000 < Date.now()) users.set(token, (user = await verify(token)));
    return user;
  }

  async function handle(request, path, body) {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    if (scheme !== 'Bearer') return { status: 401, body: '' };
    let user;
    try {
      user = CACHE_TOKENS === '1' ? await remembered(token) : await verify(token);
    } catch {
      return { status: 401, body: '' };
    }
    const now = Date.now();
    const bucket = buckets.get(user.sub) ?? { left: BURST, at: now };
    bucket.left = Math.min(BURST, bucket.left + ((now - bucket.at) / 1000) * BURST);
    bucket.at = now;
    buckets.set(user.sub, bucket);
    if (bucket.left < 1) return { status: 429, body: '' };
    bucket.left--;
    const input = { method: request.method, path, user, rate_limit: { remaining: Math.floor(bucket.left) } };
    const [decision] = policy.evaluate(input);
    if (decision?.result !== true) return { status: 403, body: '' };
    if (++served % REUSE === 0) instance = new WebAssembly.Instance(module, imports).exports;
    return call(instance, request.method, path, Object.entries(request.headers), user, body);
  }

  createServer((request, response) => {
    const start = performance.now();
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const path = new URL(request.url, 'http://localhost').pathname;
      const { status, body } = await handle(request, path, Buffer.concat(chunks));
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
      response.end(body);
      const labels = { route: path, method: request.method, status: String(status) };
      requests.inc(labels);
      durations.observe(labels, (performance.now() - start) / 1000);
    });
  }).listen(Number(PORT), '127.0.0.1');
}
