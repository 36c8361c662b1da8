/** The kinds that there are. */
import type { ResourceKind } from './crd.ts';
import { functionRules, functionSpec, type FunctionSpec, podName } from './function.ts';
import { functionStatus } from './status.ts';

export const FUNCTION: ResourceKind<FunctionSpec> = {
  kind: 'Function',
  plural: 'functions',
  shortNames: ['fn'],
  description: 'A WebAssembly function.',
  name: podName,
  spec: functionSpec,
  rules: functionRules,
  status: functionStatus,
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  },
  columns: [
    { name: 'Runtime', type: 'string', jsonPath: '.spec.runtime' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Reason', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    { name: 'Pods', type: 'integer', jsonPath: '.status.readyReplicas', description: 'Pods that answer.' },
    { name: 'Wanted', type: 'integer', jsonPath: '.spec.replicas' },
    { name: 'Image', type: 'string', jsonPath: '.spec.image', priority: 1 },
  ],
};

export const KINDS = [FUNCTION] as const;
