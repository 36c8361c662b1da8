/** What the pods of functions and of gateways have in common. */

/** `nobody`: the images have no users. */
const NOBODY = 65_534;

/** `securityContext` of a pod. */
export const AS_NOBODY = {
  runAsNonRoot: true,
  runAsUser: NOBODY,
  runAsGroup: NOBODY,
  seccompProfile: { type: 'RuntimeDefault' },
} as const;

/** `securityContext` of a container. */
export const LOCKED_DOWN = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const;

/** Secrets that the registry asks for; nothing where it asks for none. */
export function pullSecrets(names: readonly string[]): object {
  return names.length === 0 ? {} : { imagePullSecrets: names.map((name) => ({ name })) };
}
