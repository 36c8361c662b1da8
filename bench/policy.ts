/**
 * What does one decision of a policy cost? Nanoseconds per decision: OPA's JavaScript SDK (`evaluate`), this platform's
 * Wasm host, and the plan translated to JavaScript. `node bench/policy.ts`: medians of five alternating rounds.
 */
import { createRequire } from 'node:module';
import { compilePolicy, toSpec } from '../src/policy/compile.ts';
import { createEvaluator } from '../src/policy/evaluator.ts';

interface Workload {
  readonly name: string;
  readonly entrypoint: string;
  readonly rego: string;
  readonly data: unknown;
  readonly input: (i: number) => unknown;
}

const shop = `package serverless
import rego.v1
default allow = false
allow if { input.method == "POST"; input.path == "/api/function"; input.user.role == "user"; input.rate_limit.remaining > 0; input.user.status == "active" }
allow if { input.method == "GET"; input.path == "/api/status"; input.user.role == "user" }
allow if { input.method == "GET"; input.path == "/api/all"; input.user.role == "admin" }`;

const roles = `package gateway
import rego.v1
default allow = false
allow if {
  not data.blocked[input.claims.sub]
  not input.claims.exp < input.time
  input.rate_limit.remaining > 0
  permitted
}
permitted if {
  some role in input.claims.roles
  some permission in data.permissions[role]
  input.method in permission.methods
  startswith(input.path, permission.prefix)
  permission.scope in input.claims.scopes
}
permitted if { "admin" in input.claims.roles; input.claims.mfa }`;

const permissions = Object.fromEntries(
  Array.from({ length: 50 }, (_, i) => [
    `role${i}`,
    [
      { methods: ['GET'], prefix: `/svc${i}/`, scope: `svc${i}:read` },
      { methods: ['POST', 'PUT'], prefix: `/svc${i}/items`, scope: `svc${i}:write` },
      { methods: ['GET', 'POST'], prefix: '/api/v1/orders', scope: 'orders:write' },
    ],
  ]),
);

const workloads: Workload[] = [
  {
    name: "the shop's policy",
    entrypoint: 'serverless/allow',
    rego: shop,
    data: {},
    input: (i) => ({
      method: 'POST',
      path: '/api/function',
      user: { id: `u${i}`, role: 'user', status: 'active' },
      rate_limit: { limit: 1000, remaining: 1 + (i % 8) },
    }),
  },
  {
    name: '50 roles × 3 permissions',
    entrypoint: 'gateway/allow',
    rego: roles,
    data: { permissions, blocked: { 'u-13': true } },
    input: (i) => ({
      method: 'POST',
      path: '/api/v1/orders/8f2a/items',
      time: 1763800000,
      claims: {
        sub: `u${i}`,
        exp: 1863800000,
        mfa: false,
        roles: ['role7', 'role31'],
        scopes: ['orders:read', 'orders:write'],
      },
      rate_limit: { limit: 1000, remaining: 1 + (i % 8) },
    }),
  },
];

type Decide = (input: unknown) => unknown;
interface SdkPolicy {
  setData(data: unknown): void;
  evaluate(input: unknown, entrypoint: string): [{ result: unknown }];
}
interface Sdk {
  loadPolicy(wasm: Uint8Array): Promise<SdkPolicy>;
}
const sdk = createRequire(import.meta.url)('@open-policy-agent/opa-wasm') as Sdk;
const forms = ['SDK evaluate', 'Wasm', 'JavaScript'] as const;
const rounds = 5;
const roundMs = 200;

async function decisionsOf({ entrypoint, rego, data }: Workload): Promise<Decide[]> {
  const compiled = await compilePolicy({ files: { 'policy.rego': rego }, data, entrypoints: [entrypoint] });
  if (compiled.javascript === null) throw new Error(`Not translated: ${compiled.javascriptRefused}`);
  const spec = await toSpec('bench', compiled);
  const policy = await sdk.loadPolicy(compiled.wasm);
  policy.setData(data);
  return [
    (input) => policy.evaluate(input, entrypoint)[0].result,
    createEvaluator({ ...spec, javascript: null }).entrypoint(entrypoint),
    createEvaluator(spec).entrypoint(entrypoint),
  ];
}

function nanosecondsPerDecision(decide: Decide, inputs: readonly unknown[]): number {
  const until = performance.now() + roundMs;
  const start = process.hrtime.bigint();
  let count = 0;
  for (; performance.now() < until; count += inputs.length) {
    for (const input of inputs) if (decide(input) !== true) throw new Error('A decision is wrong.');
  }
  return Number(process.hrtime.bigint() - start) / count;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] as number;

console.log(`| ns per decision (allowed) | ${forms.join(' | ')} |\n|---|---:|---:|---:|`);
for (const workload of workloads) {
  const decisions = await decisionsOf(workload);
  const inputs = Array.from({ length: 256 }, (_, i) => workload.input(i));
  const measured: number[][] = decisions.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [form, decide] of decisions.entries()) {
      const cost = nanosecondsPerDecision(decide, inputs);
      // The round before the first warms up.
      if (round >= 0) measured[form]!.push(cost);
    }
  }
  console.log(`| ${workload.name} | ${measured.map((costs) => median(costs).toFixed(0)).join(' | ')} |`);
}
