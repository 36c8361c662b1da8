import type { KubeObject } from '../cluster/objects.ts';
import type { FunctionSpec } from '../resources/function.ts';
import { ownedMetadata, type Owner, podLabels } from '../resources/owned.ts';

/** The one address of a function's pods. */
export function service(owner: Owner, { service: wanted }: FunctionSpec): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: ownedMetadata(owner),
    spec: {
      type: wanted.type,
      selector: podLabels(owner),
      ports: [{ name: 'http', port: wanted.port, targetPort: 'http', protocol: 'TCP' }],
    },
  };
}
