/** The pods of a function that WasmEdge runs. */
import type { KubeObject } from '../cluster/objects.ts';
import type { FunctionSpec, PodSpec } from '../resources/function.ts';
import { LABELS } from '../resources/names.ts';
import { AS_NOBODY, LOCKED_DOWN, pullSecrets } from '../resources/pod-parts.ts';
import { cpuQuantity, memoryQuantity } from '../resources/quantity.ts';
import { ownedMetadata, type Owner, podLabels } from '../resources/owned.ts';

/** Where the pods listen. */
const POD_PORT = 8080;
const PORT_NAME = 'http';
/** After it, a rollout that does not move is called stuck. */
const PROGRESS_SECONDS = 120;
/** crun: start a WebAssembly file with WasmEdge, anything else natively. Other runtimes do not look at it. */
const WASM_ANNOTATION = { 'module.wasm.image/variant': 'compat-smart' };

/** `replicas`: null leaves the number to whoever scales it. */
export function deployment(owner: Owner, spec: PodSpec, replicas: number | null): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: ownedMetadata(owner),
    spec: {
      ...(replicas === null ? {} : { replicas }),
      progressDeadlineSeconds: PROGRESS_SECONDS,
      selector: { matchLabels: podLabels(owner) },
      // A pod goes when another one answers in its place.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
      template: {
        metadata: {
          labels: { [LABELS.name]: owner.name, [LABELS.partOf]: 'mayfly', ...podLabels(owner) },
          annotations: WASM_ANNOTATION,
        },
        spec: podSpec(spec),
      },
    },
  };
}

function podSpec(spec: PodSpec): object {
  return {
    runtimeClassName: spec.runtimeClassName,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    // Else the guest is process 1 of its namespace, to which SIGTERM means nothing, and every end takes the grace period.
    shareProcessNamespace: true,
    securityContext: AS_NOBODY,
    ...pullSecrets(spec.imagePullSecrets),
    containers: [container(spec)],
  };
}

function container(spec: PodSpec): object {
  return {
    name: 'function',
    image: spec.image,
    ports: [{ name: PORT_NAME, containerPort: POD_PORT }],
    env: environment(spec),
    resources: {
      requests: { cpu: cpuQuantity(spec.cpuRequest), memory: memoryQuantity(spec.memoryRequest) },
      limits: { cpu: cpuQuantity(spec.cpuLimit), memory: memoryQuantity(spec.memoryLimit) },
    },
    livenessProbe: { httpGet: { path: '/health', port: PORT_NAME }, periodSeconds: 10 },
    readinessProbe: { httpGet: { path: '/ready', port: PORT_NAME }, periodSeconds: 1 },
    securityContext: LOCKED_DOWN,
  };
}

function environment({ env, secretEnv, logLevel }: FunctionSpec): object[] {
  return [
    { name: 'LOG_LEVEL', value: logLevel },
    { name: 'PORT', value: String(POD_PORT) },
    ...sorted(env).map(([name, value]) => ({ name, value })),
    ...sorted(secretEnv).map(([name, { name: secret, key }]) => ({
      name,
      valueFrom: { secretKeyRef: { name: secret, key } },
    })),
  ];
}

/** The order in which a person wrote them must not start new pods. */
function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
