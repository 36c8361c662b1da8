/** Exported functions as objects to apply: Functions for an operator, or what one would make of them. */
import type { KubeObject } from '../cluster/objects.ts';
import { API_VERSION } from '../resources/names.ts';
import { autoscaler } from '../wasmedge/autoscaler.ts';
import { deployment } from '../wasmedge/deployment.ts';
import { service } from '../wasmedge/service.ts';
import type { ExportedFunction } from './functions-of.ts';

/** Deployment, Service and HorizontalPodAutoscaler: no operator is needed. */
export function plainManifests({ name, spec }: ExportedFunction, namespace?: string): KubeObject[] {
  const nobody = { kind: 'Function', name, namespace, uid: null } as const;
  const scaler = autoscaler(nobody, spec);
  // The autoscaler sets the number of pods; one in the manifest would set it back at every apply.
  return [
    deployment(nobody, spec, scaler === null ? spec.replicas : null),
    service(nobody, spec),
    ...(scaler === null ? [] : [scaler]),
  ];
}

/** For `mayfly operator`. */
export function functionManifest({ name, written }: ExportedFunction, namespace?: string): KubeObject {
  const place = namespace === undefined ? {} : { namespace };
  return { apiVersion: API_VERSION, kind: 'Function', metadata: { name, ...place }, spec: written };
}
