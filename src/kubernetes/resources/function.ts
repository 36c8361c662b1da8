/** `Function`: what a person writes to have a function in a cluster. */
import { z } from 'zod';
import { choice, cpu, decimal, integer, quantity, shaped, text, url } from '../../config/scalars.ts';
import { functionLimits } from '../../config/sections/limits.ts';
import type { CrossRule } from './cross-rule.ts';

/** RFC 1123 subdomain: what most objects may be called. */
const objectName = shaped(
  /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/,
  'the name of an object: a-z, 0-9, - and ., beginning and ending with a letter or digit',
);

const IMAGE = /^[a-z0-9.-]+(:[0-9]+)?(\/[a-z0-9._-]+)+(:[A-Za-z0-9_.-]+)?@sha256:[0-9a-f]{64}$/;

const image = shaped(IMAGE, 'an image by its digest, such as registry.example.com/shop/orders@sha256:…');

const variable = shaped(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name: letters, digits and _');

const secretKey = z.strictObject({
  name: objectName.describe('Name of the Secret, in the namespace of the function.'),
  key: shaped(/^[A-Za-z0-9._-]{1,253}$/, 'a key of the Secret: letters, digits and ._-').describe(
    'Which of its values.',
  ),
});

const prometheus = z.strictObject({
  serverAddress: url().describe('Address of Prometheus.'),
  query: text('a PromQL expression').describe('Its value is what the function has to carry in all.'),
  threshold: decimal(0.001, 1_000_000_000).describe('What one pod carries.'),
});

const scaling = z.strictObject({
  minReplicas: integer(0, 5000)
    .prefault(10)
    .describe('Fewest pods. 0 needs `prometheus`: somebody has to notice the first request.'),
  maxReplicas: integer(1, 5000).prefault(5000).describe('Most pods.'),
  cpu: integer(1, 1000)
    .prefault(70)
    .describe('CPU use, in percent of cpuRequest, above which pods are added and below which they go.'),
  memory: integer(1, 1000).prefault(80).describe('The same for memory.'),
  prometheus: prometheus
    .optional()
    .describe('Scale by a Prometheus query with KEDA (keda.sh) instead of by CPU and memory.'),
});

const service = z.strictObject({
  type: choice(['ClusterIP', 'LoadBalancer'])
    .default('ClusterIP')
    .describe('`LoadBalancer`: reachable from outside the cluster.'),
  port: integer(1, 65_535).prefault(80).describe('Port of the Service; the pods listen on 8080.'),
});

export const functionSpec = z.strictObject({
  runtime: choice(['wasmedge']).describe('`wasmedge`: pods of its own that WasmEdge runs.'),
  image: image.describe('The function, as `mayfly image build` made it.'),
  imagePullSecrets: z
    .array(objectName)
    .max(8)
    .default([])
    .describe('Secrets that the registry asks for, by name.'),
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
  cpuLimit: cpu().prefault('100m').describe('CPU that a pod may use.'),
  memoryLimit: functionLimits.memory_limit.prefault('64Mi').describe('Memory that a pod may use.'),
  cpuRequest: cpu().prefault('10m').describe('CPU that is set aside for a pod.'),
  memoryRequest: quantity(65_536, 4 * 2 ** 30)
    .prefault('32Mi')
    .describe('Memory that is set aside for a pod.'),
  replicas: integer(0, 5000)
    .prefault(1)
    .describe(
      'Number of pods, within `scaling` where that is given. Autoscalers and `kubectl scale` set it.',
    ),
  scaling: scaling.optional().describe('Scale by load. Default: `replicas` pods, whatever the load.'),
  service: service.prefault({}).describe('How the function is reached.'),
});

/** A Function's spec with its defaults: sizes in bytes, CPU in thousandths of a core. */
export type FunctionSpec = z.output<typeof functionSpec>;
export type Scaling = NonNullable<FunctionSpec['scaling']>;

/** RFC 1035 label: a Service, and so its host name, is called like the function. */
export const podName = shaped(
  /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  'a function name: 1 to 63 of a-z, 0-9 and -, beginning with a letter and not ending with -',
);

/** Set by the operator in every pod. */
const OWN_VARIABLES = ['PORT', 'LOG_LEVEL'];
const OWN_NAMES = JSON.stringify(OWN_VARIABLES);

/** What no single value can tell. */
export const functionRules: readonly CrossRule<FunctionSpec>[] = [
  {
    path: ['scaling', 'minReplicas'],
    message: 'is larger than maxReplicas. Allowed: as many or fewer.',
    cel: '!has(self.scaling) || self.scaling.minReplicas <= self.scaling.maxReplicas',
    holds: ({ scaling: set }) => set === undefined || set.minReplicas <= set.maxReplicas,
  },
  {
    path: ['scaling', 'minReplicas'],
    message: 'is 0, but nothing would notice the first request. Allowed: 1 or more, or prometheus beside it.',
    cel: '!has(self.scaling) || self.scaling.minReplicas > 0 || has(self.scaling.prometheus)',
    holds: ({ scaling: set }) => set === undefined || set.minReplicas > 0 || set.prometheus !== undefined,
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

/** Values that are no quantities are refused by rules of their own. */
function atMost(less: string, more: string): string {
  const [a, b] = [`string(self.${less})`, `string(self.${more})`];
  return `!isQuantity(${a}) || !isQuantity(${b}) || quantity(${a}).compareTo(quantity(${b})) <= 0`;
}
