/** The kinds that there are. */
import type { Column, ResourceKind } from './crd.ts';
import { functionRules, functionSpec, type FunctionSpec } from './function.ts';
import { gatewayRules, gatewaySpec, type GatewaySpec } from './gateway.ts';
import { policySpec, type PolicySpec } from './policy.ts';
import { rateLimitSpec, type RateLimitSpec } from './rate-limit.ts';
import { functionStatus, gatewayStatus, settingStatus } from './status.ts';
import { objectName, podName } from './words.ts';

const SCALE = {
  specReplicasPath: '.spec.replicas',
  statusReplicasPath: '.status.replicas',
  labelSelectorPath: '.status.selector',
};

const READY: readonly Column[] = [
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
];

export const FUNCTION: ResourceKind<FunctionSpec> = {
  kind: 'Function',
  plural: 'functions',
  shortNames: ['fn'],
  description: 'A WebAssembly function.',
  name: podName,
  spec: functionSpec,
  rules: functionRules,
  status: functionStatus,
  scale: SCALE,
  columns: [
    { name: 'Runtime', type: 'string', jsonPath: '.spec.runtime' },
    ...READY,
    { name: 'Pods', type: 'integer', jsonPath: '.status.readyReplicas', description: 'Pods that answer.' },
    { name: 'Wanted', type: 'integer', jsonPath: '.spec.replicas' },
    { name: 'Gateway', type: 'string', jsonPath: '.spec.gateway', priority: 1 },
    { name: 'Image', type: 'string', jsonPath: '.spec.image', priority: 1 },
  ],
};

export const GATEWAY: ResourceKind<GatewaySpec> = {
  kind: 'MayflyGateway',
  plural: 'mayflygateways',
  shortNames: ['mgw'],
  description: 'Pods that run isolate functions, and what they have in common.',
  name: podName,
  spec: gatewaySpec,
  rules: gatewayRules,
  status: gatewayStatus,
  scale: SCALE,
  columns: [
    ...READY,
    { name: 'Pods', type: 'integer', jsonPath: '.status.readyReplicas', description: 'Pods that answer.' },
    {
      name: 'Current',
      type: 'integer',
      jsonPath: '.status.currentReplicas',
      description: 'Pods that serve the newest configuration.',
    },
    { name: 'Wanted', type: 'integer', jsonPath: '.spec.replicas' },
    { name: 'Functions', type: 'integer', jsonPath: '.status.functions' },
    { name: 'Configuration', type: 'string', jsonPath: '.status.configuration', priority: 1 },
  ],
};

export const POLICY: ResourceKind<PolicySpec> = {
  kind: 'Policy',
  plural: 'policies',
  shortNames: ['mpol'],
  description: 'Who may do what, in Rego, for the functions that name it.',
  name: objectName,
  spec: policySpec,
  rules: [],
  status: settingStatus,
  columns: [{ name: 'Rule', type: 'string', jsonPath: '.spec.rule' }, ...READY],
};

export const RATE_LIMIT: ResourceKind<RateLimitSpec> = {
  kind: 'RateLimit',
  plural: 'ratelimits',
  shortNames: ['mrl'],
  description: 'How many requests a caller may send to the functions that name it.',
  name: objectName,
  spec: rateLimitSpec,
  rules: [],
  status: settingStatus,
  columns: [
    {
      name: 'Rate',
      type: 'number',
      jsonPath: '.spec.requestsPerSecond',
      description: 'Requests per second.',
    },
    { name: 'Burst', type: 'integer', jsonPath: '.spec.burstSize' },
    ...READY,
  ],
};

export const KINDS = [FUNCTION, GATEWAY, POLICY, RATE_LIMIT] as const;
