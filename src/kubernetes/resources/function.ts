/** `Function`: what a person writes to have a function in a cluster. */
import { z } from 'zod';
import {
  base64,
  choice,
  cpu,
  decimal,
  duration,
  flag,
  integer,
  quantity,
  shaped,
  text,
  url,
} from '../../config/scalars.ts';
import { hostName, METHOD_NAMES, methods, routePath } from '../../config/sections/functions.ts';
import { cpuBudget, functionLimits, queueLimits } from '../../config/sections/limits.ts';
import { DEFAULT_STEPS, rolloutKeys } from '../../config/sections/rollout.ts';
import { auth } from '../../config/sections/security.ts';
import { inCamelCase } from './camel-case.ts';
import type { CrossRule } from './cross-rule.ts';
import { atMost } from './quantity-rule.ts';
import { httpRoute, imagePullSecrets, objectName, podName, secretKey, service } from './words.ts';

const IMAGE = /^[a-z0-9.-]+(:[0-9]+)?(\/[a-z0-9._-]+)+(:[A-Za-z0-9_.-]+)?@sha256:[0-9a-f]{64}$/;

const image = shaped(IMAGE, 'an image by its digest, such as registry.example.com/shop/orders@sha256:…');

const variable = shaped(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name: letters, digits and _');

const prometheus = z.strictObject({
  serverAddress: url().describe('Address of Prometheus.'),
  query: text('a PromQL expression').describe('Its value is what the function has to carry in all.'),
  threshold: decimal(0.001, 1_000_000_000).describe('What one pod carries.'),
});

const scaling = z.strictObject({
  minReplicas: integer(0, 5000)
    .prefault(10)
    .describe(
      'Fewest pods. 0 needs `idleAfter`, `prometheus` or `openRequests`: somebody has to notice the first request.',
    ),
  idleAfter: duration(5000, 86_400_000)
    .optional()
    .describe(
      'With `minReplicas: 0`: no pods after so long without a request at the gateways, which hold the next one until there is a pod. Autoscalers do the rest.',
    ),
  maxReplicas: integer(1, 5000).prefault(5000).describe('Most pods.'),
  cpu: integer(1, 1000)
    .prefault(70)
    .describe('CPU use, in percent of cpuRequest, above which pods are added and below which they go.'),
  memory: integer(1, 1000).prefault(80).describe('The same for memory.'),
  prometheus: prometheus
    .optional()
    .describe('Scale by a Prometheus query with KEDA (keda.sh) instead of by CPU and memory.'),
  openRequests: integer(1, 100_000)
    .optional()
    .describe(
      'Scale by the requests that gateways have for the function, so many for each pod, with KEDA and the scaler of the operator instead of by CPU and memory.',
    ),
});

const route = z.strictObject({
  path: routePath.describe('`/orders` matches exactly that path, `/orders/*` everything below `/orders/`.'),
  host: hostName.optional().describe('Only requests for this host. Default: every host.'),
  methods: methods
    .max(METHOD_NAMES.length)
    .optional()
    .describe('Only these methods; HEAD is answered wherever GET is. Default: every method.'),
  auth: auth.optional().describe('As `auth` of the function, for this route.'),
  policy: objectName.optional().describe('As `policy` of the function, for this route.'),
  rateLimit: objectName.optional().describe('As `rateLimit` of the function, for this route.'),
});

export type FunctionRoute = z.output<typeof route>;

/** In place of the name of a Policy or a RateLimit. */
export const NONE = 'none';

/** Larger modules belong into a registry: etcd takes objects of 1.5 MiB. */
const MOST_INLINE_BYTES = 700 * 1024;

const source = z.strictObject({
  wasm: base64(MOST_INLINE_BYTES).describe(
    'The WebAssembly module in base64, 700 KiB at most: `base64 -w0 orders.wasm`. Apply it with --server-side.',
  ),
});

const { max_concurrent_requests, request_timeout, max_request_body, max_response_body } = functionLimits;

const limitKeys = inCamelCase({
  max_concurrent_requests,
  request_timeout,
  max_request_body,
  max_response_body,
  cpu_budget: cpuBudget,
  ...queueLimits,
});

const rollout = z.strictObject({
  steps: rolloutKeys.steps.default(DEFAULT_STEPS),
  interval: rolloutKeys.interval.prefault('30s'),
  minRequests: rolloutKeys.minRequests.prefault(50),
  maxErrorRate: rolloutKeys.maxErrorRate.prefault('1%'),
  maxP99: rolloutKeys.maxP99.optional(),
  paused: flag().prefault(false).describe('Leave the shares as they are.'),
});

export const functionSpec = z.strictObject({
  runtime: choice(['wasmedge', 'isolate']).describe(
    '`wasmedge`: pods of its own that WasmEdge runs. `isolate`: within the pods of a MayflyGateway.',
  ),
  image: image.optional().describe('The function, as `mayfly image build` made it.'),
  source: source.optional().describe('The function itself instead of an image (`isolate`).'),
  gateway: podName
    .optional()
    .describe(
      'The MayflyGateway, in the same namespace, that requests for the function pass: it runs the function itself (`isolate`, which needs one) or forwards to its pods (`wasmedge`).',
    ),
  routes: z
    .array(route)
    .min(1)
    .max(32)
    .optional()
    .describe('Requests that the function answers at its gateway. Default: `/NAME` and `/NAME/*`.'),
  auth: auth
    .optional()
    .describe(
      '`required`: a valid token or 401; `optional`: a token is verified when there is one; `public`: tokens are not looked at. Default: required, or public where the gateway has nothing to verify tokens with.',
    ),
  policy: objectName
    .optional()
    .describe("The Policy that requests must pass; `none`: no policy. Default: the gateway's."),
  rateLimit: objectName
    .optional()
    .describe("The RateLimit that requests are counted by; `none`: no limit. Default: the gateway's."),
  ...optional(limitKeys),
  holdTimeout: duration(0, 3_600_000)
    .optional()
    .describe(
      'How long the gateway holds a request while no pod can be reached, as when there are none; then the caller gets 503 (`wasmedge`). Default: 30s.',
    ),
  rollout: rollout
    .optional()
    .describe(
      'A new image gets more and more of the requests (`isolate`) or pods (`wasmedge`), or none again. Default: all at once.',
    ),
  imagePullSecrets,
  runtimeClassName: objectName.default('wasmedge').describe('RuntimeClass of the pods.'),
  env: z
    .record(variable, z.string().meta({ kind: 'a string (put numbers in quotes)' }))
    .default({})
    .describe('Values that the function may read.'),
  secretEnv: z
    .record(variable, secretKey)
    .default({})
    .describe('Values from Secrets that the function may read.'),
  logLevel: choice(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least important line that is written.'),
  cpuLimit: cpu()
    .prefault('100m')
    .describe('CPU that a pod, or the function in a pod of the gateway, may use.'),
  memoryLimit: functionLimits.memory_limit
    .prefault('64Mi')
    .describe('Memory that a pod, or one instance in a pod of the gateway, may use.'),
  cpuRequest: cpu().prefault('10m').describe('CPU that is set aside for a pod (`wasmedge`).'),
  memoryRequest: quantity(65_536, 4 * 2 ** 30)
    .prefault('32Mi')
    .describe('Memory that is set aside for a pod (`wasmedge`).'),
  replicas: integer(0, 5000)
    .prefault(1)
    .describe(
      'Number of pods (`wasmedge`), within `scaling` where that is given. Autoscalers and `kubectl scale` set it.',
    ),
  scaling: scaling
    .optional()
    .describe('Scale by load (`wasmedge`). Default: `replicas` pods, whatever the load.'),
  service: service.prefault({}).describe('How the pods of the function are reached (`wasmedge`).'),
  httpRoute: httpRoute
    .optional()
    .describe('An HTTPRoute of the Gateway API that leads to the Service (`wasmedge`). Default: none.'),
});

/** A Function's spec with its defaults: sizes in bytes, CPU in thousandths of a core. */
export type FunctionSpec = z.output<typeof functionSpec>;
export type Scaling = NonNullable<FunctionSpec['scaling']>;

/** A Function with pods of its own. */
export type PodSpec = FunctionSpec & { readonly image: string };
/** A Function whose requests pass a gateway. */
export type GatewayedSpec = FunctionSpec & { readonly gateway: string };
/** A Function that a gateway's pods run. */
export type IsolateSpec = GatewayedSpec;

export function hasOwnPods(spec: FunctionSpec): spec is PodSpec {
  return spec.runtime === 'wasmedge' && spec.image !== undefined;
}

export function isIsolate(spec: FunctionSpec): spec is IsolateSpec {
  return spec.runtime === 'isolate' && spec.gateway !== undefined;
}

export function hasGateway(spec: FunctionSpec): spec is GatewayedSpec {
  return spec.gateway !== undefined;
}

export function isScaledByKeda({ prometheus: query, openRequests }: Scaling): boolean {
  return query !== undefined || openRequests !== undefined;
}

/** Set by the operator in every pod. */
const OWN_VARIABLES = ['PORT', 'LOG_LEVEL'];
const OWN_NAMES = JSON.stringify(OWN_VARIABLES);

/** What only a gateway does. */
const GATEWAYS = [
  'routes',
  'auth',
  'policy',
  'rateLimit',
  ...Object.keys(limitKeys),
  'holdTimeout',
] as (keyof FunctionSpec)[];

/** What no single value can tell. */
export const functionRules: readonly CrossRule<FunctionSpec>[] = [
  {
    path: ['image'],
    message: 'is missing. Allowed: an image by its digest, or source beside runtime isolate.',
    cel: "has(self.image) || (self.runtime == 'isolate' && has(self.source))",
    holds: ({ runtime, image: set, source: inline }) =>
      set !== undefined || (runtime === 'isolate' && inline !== undefined),
  },
  {
    path: ['source'],
    message:
      'stands where image is what counts. Allowed: one of the two, and source with runtime isolate only.',
    cel: "!has(self.source) || (self.runtime == 'isolate' && !has(self.image))",
    holds: ({ runtime, image: set, source: inline }) =>
      inline === undefined || (runtime === 'isolate' && set === undefined),
  },
  {
    path: ['gateway'],
    message: 'is missing. Allowed: the name of a MayflyGateway, which runtime isolate needs.',
    cel: "self.runtime != 'isolate' || has(self.gateway)",
    holds: ({ runtime, gateway }) => runtime !== 'isolate' || gateway !== undefined,
  },
  ...GATEWAYS.map((key) => ({
    path: [key],
    message: "is a gateway's work. Allowed: beside gateway.",
    cel: `!has(self.${key}) || has(self.gateway)`,
    holds: (spec: FunctionSpec) => spec[key] === undefined || spec.gateway !== undefined,
  })),
  {
    path: ['cpuBudget'],
    message: 'is what a gateway watches in its own pods. Allowed: with runtime isolate.',
    cel: "self.runtime == 'isolate' || !has(self.cpuBudget)",
    holds: ({ runtime, cpuBudget: set }) => runtime === 'isolate' || set === undefined,
  },
  {
    path: ['holdTimeout'],
    message: 'is for requests to pods of its own. Allowed: with runtime wasmedge.',
    cel: "self.runtime == 'wasmedge' || !has(self.holdTimeout)",
    holds: ({ runtime, holdTimeout: set }) => runtime === 'wasmedge' || set === undefined,
  },
  {
    path: ['rollout'],
    message: 'compares images, and there is none. Allowed: beside image.',
    cel: '!has(self.rollout) || has(self.image)',
    holds: ({ rollout: set, image: given }) => set === undefined || given !== undefined,
  },
  {
    path: ['scaling'],
    message: 'is for pods of its own. Allowed: with runtime wasmedge.',
    cel: "self.runtime == 'wasmedge' || !has(self.scaling)",
    holds: ({ runtime, scaling: set }) => runtime === 'wasmedge' || set === undefined,
  },
  {
    path: ['httpRoute'],
    message: 'leads to pods of its own. Allowed: with runtime wasmedge; else in the MayflyGateway.',
    cel: "self.runtime == 'wasmedge' || !has(self.httpRoute)",
    holds: ({ runtime, httpRoute: set }) => runtime === 'wasmedge' || set === undefined,
  },
  {
    path: ['scaling', 'minReplicas'],
    message: 'is larger than maxReplicas. Allowed: as many or fewer.',
    cel: '!has(self.scaling) || self.scaling.minReplicas <= self.scaling.maxReplicas',
    holds: ({ scaling: set }) => set === undefined || set.minReplicas <= set.maxReplicas,
  },
  {
    path: ['scaling', 'minReplicas'],
    message:
      'is 0, but nothing would notice the first request. Allowed: 1 or more, or idleAfter, prometheus or openRequests beside it.',
    cel: '!has(self.scaling) || self.scaling.minReplicas > 0 || has(self.scaling.prometheus) || has(self.scaling.openRequests) || has(self.scaling.idleAfter)',
    holds: ({ scaling: set }) =>
      set === undefined || set.minReplicas > 0 || isScaledByKeda(set) || set.idleAfter !== undefined,
  },
  {
    path: ['scaling', 'idleAfter'],
    message:
      'stands beside prometheus or openRequests. Allowed: one of them, since one of them makes the first pod.',
    cel: '!has(self.scaling) || !has(self.scaling.idleAfter) || !(has(self.scaling.prometheus) || has(self.scaling.openRequests))',
    holds: ({ scaling: set }) => set?.idleAfter === undefined || !isScaledByKeda(set),
  },
  {
    path: ['scaling', 'openRequests'],
    message: 'stands beside prometheus. Allowed: one of the two.',
    cel: '!has(self.scaling) || !has(self.scaling.openRequests) || !has(self.scaling.prometheus)',
    holds: ({ scaling: set }) => set?.openRequests === undefined || set.prometheus === undefined,
  },
  {
    path: ['memoryRequest'],
    message: 'is larger than memoryLimit. Allowed: as much or less.',
    cel: atMost('memoryRequest', 'memoryLimit'),
    holds: ({ memoryRequest, memoryLimit }) => memoryRequest <= memoryLimit,
  },
  {
    path: ['cpuRequest'],
    message: 'is larger than cpuLimit. Allowed: as much or less.',
    cel: atMost('cpuRequest', 'cpuLimit'),
    holds: ({ cpuRequest, cpuLimit }) => cpuRequest <= cpuLimit,
  },
  ...(['env', 'secretEnv'] as const).map((key) => ({
    path: [key],
    message: `sets a variable that the operator sets. Allowed: any name but ${OWN_VARIABLES.join(' and ')}.`,
    cel: `!self.${key}.exists(name, name in ${OWN_NAMES})`,
    holds: (spec: FunctionSpec) => !Object.keys(spec[key]).some((name) => OWN_VARIABLES.includes(name)),
  })),
  {
    path: ['secretEnv'],
    message: 'sets a variable that env sets. Allowed: one of the two.',
    cel: '!self.secretEnv.exists(name, name in self.env)',
    holds: ({ env, secretEnv }) => !Object.keys(secretEnv).some((name) => Object.hasOwn(env, name)),
  },
];

function optional<Shape extends Record<string, z.ZodType>>(shape: Shape) {
  const entries = Object.entries(shape).map(([key, value]) => [key, value.optional()]);
  return Object.fromEntries(entries) as { [Key in keyof Shape]: z.ZodOptional<Shape[Key]> };
}
