/** The way from a Gateway of the Gateway API to the Service of a Function or a MayflyGateway. Pure. */
import type { KubeObject } from '../cluster/objects.ts';
import { ownedMetadata, type Owner } from '../resources/owned.ts';
import type { HttpRouteSpec } from '../resources/words.ts';

/** `port`: of the owner's Service. https://gateway-api.sigs.k8s.io/reference/spec/#httproute */
export function httpRoute(
  owner: Owner,
  { parentRefs, hostnames, path }: HttpRouteSpec,
  port: number,
): KubeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: ownedMetadata(owner),
    spec: {
      parentRefs,
      ...(hostnames.length === 0 ? {} : { hostnames }),
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: path } }],
          backendRefs: [{ name: owner.name, port }],
        },
      ],
    },
  };
}
