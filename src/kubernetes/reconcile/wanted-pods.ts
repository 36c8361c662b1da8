interface Scaled {
  readonly replicas: number;
  readonly scaling?: { readonly minReplicas: number; readonly maxReplicas: number } | undefined;
}

/** 0 switches it off whatever its autoscaler says; else the bounds hold from the first moment. */
export function wantedPods({ replicas, scaling }: Scaled): number {
  if (replicas === 0 || scaling === undefined) return replicas;
  return Math.min(Math.max(replicas, scaling.minReplicas), scaling.maxReplicas);
}
