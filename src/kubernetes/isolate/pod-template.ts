/** The pods of a gateway. */
import type { GatewaySpec } from '../resources/gateway.ts';
import { ANNOTATIONS, FIELD_MANAGER, LABELS } from '../resources/names.ts';
import { type Owner, podLabels } from '../resources/owned.ts';
import { AS_NOBODY, LOCKED_DOWN, pullSecrets } from '../resources/pod-parts.ts';
import { cpuQuantity, memoryQuantity } from '../resources/quantity.ts';
import type { SecretKey } from '../resources/words.ts';
import { FILE_MAPS } from './files.ts';
import {
  CONFIG_FILE,
  CONFIG_FOLDER,
  filesName,
  PORTS,
  REGISTRY_FOLDER,
  SECRETS_FOLDER,
  STATE_FOLDER,
  TLS_FOLDER,
  TOKEN_FILE,
  TOKEN_FOLDER,
} from './places.ts';
import { DEMAND_AUDIENCE } from '../zero/reporters.ts';
import { secretSources } from './secrets.ts';

/** Between "sends no more" of whoever sends requests and the signal to end. */
const LAST_REQUESTS_SECONDS = 5;
/** That, the 25 s that `mayfly serve` gives requests in flight after `drainDelay`, and time to close. */
const GRACE_SECONDS = 45;
/** Nodes write a new one long before an hour is over. */
const TOKEN = { path: TOKEN_FILE, audience: DEMAND_AUDIENCE, expirationSeconds: 3600 };
/** Images are pulled and modules compiled before the first answer. */
const START_SECONDS = 300;

export interface PodTemplateOptions {
  readonly owner: Owner;
  readonly spec: GatewaySpec;
  readonly image: string;
  readonly secrets: readonly SecretKey[];
  /** Hash of what they read once. */
  readonly start: string;
}

export function podTemplate(options: PodTemplateOptions): object {
  const { owner, spec, start } = options;
  return {
    metadata: {
      annotations: { [ANNOTATIONS.start]: start },
      // The last label: the operator watches what bears it, and these pods are the only ones that it has to.
      labels: {
        [LABELS.name]: owner.name,
        [LABELS.partOf]: 'mayfly',
        ...podLabels(owner),
        [LABELS.managedBy]: FIELD_MANAGER,
      },
    },
    spec: {
      serviceAccountName: owner.name,
      automountServiceAccountToken: false,
      // Variables such as PORT would override the configuration.
      enableServiceLinks: false,
      terminationGracePeriodSeconds: Math.ceil(spec.server.drainDelay / 1000) + GRACE_SECONDS,
      securityContext: AS_NOBODY,
      ...pullSecrets(spec.imagePullSecrets),
      containers: [container(options)],
      volumes: volumes(options),
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'kubernetes.io/hostname',
          whenUnsatisfiable: 'ScheduleAnyway',
          labelSelector: { matchLabels: podLabels(owner) },
        },
      ],
    },
  };
}

function container({ spec, image, secrets }: PodTemplateOptions): object {
  const { tls } = spec.server;
  const { registrySecret } = spec.security.images;
  const probe = (path: string) => ({ httpGet: { path, port: 'http' }, timeoutSeconds: 2 });
  return {
    name: 'gateway',
    image,
    imagePullPolicy: spec.imagePullPolicy,
    args: ['serve', `${CONFIG_FOLDER}/${CONFIG_FILE}`],
    env: [
      { name: 'HOME', value: STATE_FOLDER },
      ...(registrySecret === undefined ? [] : [{ name: 'DOCKER_CONFIG', value: REGISTRY_FOLDER }]),
      ...(secrets.length === 0 ? [] : [{ name: 'CREDENTIALS_DIRECTORY', value: SECRETS_FOLDER }]),
    ],
    ports: [
      { name: 'http', containerPort: PORTS.http },
      { name: 'metrics', containerPort: PORTS.metrics },
      ...(tls === undefined ? [] : [{ name: 'https', containerPort: PORTS.https }]),
    ],
    startupProbe: { ...probe('/ready'), periodSeconds: 1, failureThreshold: START_SECONDS },
    readinessProbe: { ...probe('/ready'), periodSeconds: 1, failureThreshold: 2 },
    livenessProbe: { ...probe('/health'), periodSeconds: 10, failureThreshold: 3 },
    // Kubernetes takes a pod that ends out of its Services while it still serves.
    lifecycle: { preStop: { sleep: { seconds: LAST_REQUESTS_SECONDS } } },
    resources: {
      requests: { cpu: cpuQuantity(spec.cpuRequest), memory: memoryQuantity(spec.memoryRequest) },
      limits: {
        ...(spec.cpuLimit === undefined ? {} : { cpu: cpuQuantity(spec.cpuLimit) }),
        memory: memoryQuantity(spec.memoryLimit),
      },
    },
    volumeMounts: [
      { name: 'configuration', mountPath: CONFIG_FOLDER, readOnly: true },
      ...(secrets.length === 0 ? [] : [{ name: 'secrets', mountPath: SECRETS_FOLDER, readOnly: true }]),
      { name: 'token', mountPath: TOKEN_FOLDER, readOnly: true },
      { name: 'state', mountPath: STATE_FOLDER },
      { name: 'temporary', mountPath: '/tmp' },
      ...(tls === undefined ? [] : [{ name: 'tls', mountPath: TLS_FOLDER, readOnly: true }]),
      ...(registrySecret === undefined
        ? []
        : [{ name: 'registry', mountPath: REGISTRY_FOLDER, readOnly: true }]),
    ],
    // Why it ended, in `kubectl describe pod`.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: LOCKED_DOWN,
  };
}

/** The configuration and its files are one volume, which nodes change in one step. */
function volumes({ owner: { name }, spec: { server, security }, secrets }: PodTemplateOptions): object[] {
  const { registrySecret } = security.images;
  const files = Array.from({ length: FILE_MAPS }, (_, index) => ({
    configMap: { name: filesName(name, index), optional: true },
  }));
  return [
    { name: 'configuration', projected: { sources: [{ configMap: { name } }, ...files] } },
    ...(secrets.length === 0 ? [] : [{ name: 'secrets', projected: { sources: secretSources(secrets) } }]),
    { name: 'token', projected: { sources: [{ serviceAccountToken: TOKEN }] } },
    { name: 'state', emptyDir: {} },
    { name: 'temporary', emptyDir: {} },
    ...(server.tls === undefined ? [] : [{ name: 'tls', secret: { secretName: server.tls.secretName } }]),
    ...(registrySecret === undefined
      ? []
      : [
          {
            name: 'registry',
            secret: {
              secretName: registrySecret,
              items: [{ key: '.dockerconfigjson', path: 'config.json' }],
            },
          },
        ]),
  ];
}
