/**
 * `MayflyGateway`: the pods that run isolate functions, and what of `mayfly.yaml` is not about one function. `Gateway` alone
 * is a kind of the Gateway API.
 */
import { z } from 'zod';
import { choice, cpu, duration, integer, quantity, text } from '../../config/scalars.ts';
import { fleet } from '../../config/sections/fleet.ts';
import { concurrency, functionDefaults, rateLimit } from '../../config/sections/limits.ts';
import { logging, monitoring } from '../../config/sections/observability.ts';
import { decisionLog, security } from '../../config/sections/security.ts';
import { server } from '../../config/sections/server.ts';
import { inCamelCase } from './camel-case.ts';
import type { CrossRule } from './cross-rule.ts';
import { atMost } from './quantity-rule.ts';
import { httpRoute, imagePullSecrets, objectName, secretKey, service } from './words.ts';

const scaling = z.strictObject({
  minReplicas: integer(1, 1000).prefault(2).describe('Fewest pods.'),
  maxReplicas: integer(1, 1000).prefault(20).describe('Most pods.'),
  cpu: integer(1, 1000)
    .prefault(70)
    .describe('CPU use, in percent of cpuRequest, above which pods are added and below which they go.'),
});

const tls = z.strictObject({
  secretName: objectName.describe('A Secret of type kubernetes.io/tls, in the same namespace.'),
});

const { timeout, max_connections, max_header_size, max_headers, threads } = server.shape;

/** Those that every Function has a value of its own for are not among them. */
const { max_concurrent_requests, request_timeout, cpu_budget, max_request_body, max_response_body } =
  functionDefaults.shape;

const serverSection = z.strictObject({
  ...inCamelCase({ timeout, max_connections, max_header_size, max_headers, threads }),
  drainDelay: duration(0, 300_000)
    .prefault('5s')
    .describe(
      'How long a pod that is to end goes on answering, not ready and with `connection: close` on every answer, before it stops listening: longer than the cluster takes to send its requests elsewhere.',
    ),
  tls: tls.optional().describe('Serve HTTPS beside HTTP, on port 8443 of the pods and 443 of the Service.'),
});

const { token_expiry, rate_limit_enabled, issuer, audience, jwks_url, jwks_refresh, clock_tolerance } =
  security.shape;

const images = z.strictObject({
  keys: z
    .array(text('a public key in PEM'))
    .max(8)
    .default([])
    .describe(
      'Public keys (PEM, ECDSA P-256, such as `cosign.pub`). With any, a function from an image is served only when the image is signed with one of them.',
    ),
  plainHttp: z
    .array(text('a host with its port, such as registry.internal:5000'))
    .max(16)
    .default([])
    .describe('Registries that are spoken to without TLS.'),
  registrySecret: objectName
    .optional()
    .describe('A Secret of type kubernetes.io/dockerconfigjson that registries are asked with.'),
});

const securitySection = z.strictObject({
  jwtSecret: secretKey
    .optional()
    .describe(
      'Secret that HS256 tokens are signed with, 32 bytes or more. Without it and without jwksUrl, nobody is asked to sign in.',
    ),
  ...inCamelCase({
    token_expiry,
    rate_limit_enabled,
    issuer,
    audience,
    jwks_url,
    jwks_refresh,
    clock_tolerance,
  }),
  images: images.prefault({}).describe('How functions from images (`image`) are fetched and checked.'),
});

const policySection = z.strictObject({
  name: objectName.optional().describe('The Policy of functions that name none. Default: no policy.'),
  decisionLog: z
    .strictObject(inCamelCase(decisionLog.shape))
    .prefault({})
    .describe('Which decisions are logged.'),
});

const { store, user, name: fleetName, interval } = fleet.shape;

const fleetSection = z.strictObject({
  ...inCamelCase({ store, user, interval }),
  name: fleetName
    .unwrap()
    .optional()
    .describe(
      'Gateways with the same name, store and password share their rate limits. Default: the pods of this gateway do.',
    ),
  passwordSecret: secretKey
    .optional()
    .describe('Password of the store. It also keys the fingerprints of callers.'),
  ca: text('certificates in PEM')
    .optional()
    .describe('Certificate authorities for TLS to the store (PEM), instead of the usual ones.'),
});

const loggingSection = z.strictObject({
  level: logging.shape.level,
  format: logging.shape.format,
  requests: logging.shape.requests,
});

export const gatewaySpec = z.strictObject({
  image: text('an image with Mayfly in it')
    .optional()
    .describe("The pods' image. Default: what the operator was started with (`--gateway-image`)."),
  imagePullPolicy: choice(['Always', 'IfNotPresent', 'Never'])
    .default('IfNotPresent')
    .describe('When nodes fetch the image.'),
  imagePullSecrets,
  replicas: integer(0, 1000)
    .prefault(2)
    .describe(
      'Number of pods, within `scaling` where that is given. Autoscalers and `kubectl scale` set it.',
    ),
  scaling: scaling.optional().describe('Scale by load. Default: `replicas` pods, whatever the load.'),
  cpuRequest: cpu().prefault('500m').describe('CPU that is set aside for a pod.'),
  cpuLimit: cpu().optional().describe('CPU that a pod may use. Default: what the node has to spare.'),
  memoryRequest: quantity(2 ** 26, 2 ** 40)
    .prefault('256Mi')
    .describe('Memory that is set aside for a pod.'),
  memoryLimit: quantity(2 ** 26, 2 ** 40)
    .prefault('1Gi')
    .describe('Memory that a pod may use.'),
  service: service.prefault({}).describe('How the gateway is reached.'),
  httpRoute: httpRoute
    .optional()
    .describe('An HTTPRoute of the Gateway API that leads to the Service. Default: none.'),
  server: serverSection.prefault({}).describe('Connections and requests.'),
  function: z
    .strictObject(
      inCamelCase({
        max_concurrent_requests,
        request_timeout,
        cpu_budget,
        max_request_body,
        max_response_body,
      }),
    )
    .prefault({})
    .describe('What each function may use where its Function does not say otherwise.'),
  rateLimit: z
    .strictObject(inCamelCase(rateLimit.shape))
    .prefault({})
    .describe('How many requests a caller may send to functions that name no RateLimit.'),
  fleet: fleetSection
    .optional()
    .describe(
      'How the pods share rate limits. Default: each counts for itself. Another value makes new pods.',
    ),
  concurrency: z.strictObject(inCamelCase(concurrency.shape)).prefault({}).describe('Instances and queues.'),
  logging: loggingSection.prefault({}).describe('Logs, to stdout.'),
  monitoring: z
    .strictObject(inCamelCase({ health_check_interval: monitoring.shape.health_check_interval }))
    .prefault({})
    .describe('Health of the threads. Metrics are on port 9090 of the pods.'),
  security: securitySection.prefault({}).describe('Who may call: tokens (JWT).'),
  policy: policySection.prefault({}).describe('What callers may do: the Policy that holds by default.'),
});

export type GatewaySpec = z.output<typeof gatewaySpec>;

export const gatewayRules: readonly CrossRule<GatewaySpec>[] = [
  {
    path: ['scaling', 'minReplicas'],
    message: 'is larger than maxReplicas. Allowed: as many or fewer.',
    cel: '!has(self.scaling) || self.scaling.minReplicas <= self.scaling.maxReplicas',
    holds: ({ scaling: set }) => set === undefined || set.minReplicas <= set.maxReplicas,
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
    cel: `!has(self.cpuLimit) || ${atMost('cpuRequest', 'cpuLimit')}`,
    holds: ({ cpuRequest, cpuLimit }) => cpuLimit === undefined || cpuRequest <= cpuLimit,
  },
];
