/**
 * What a HorizontalPodAutoscaler with the policies of this platform's Functions asks for after a step in load, second by
 * second: scale up by the larger of 100 % and 100 pods in 30 s, without stabilisation, looked at every 15 s (the defaults of
 * kube-controller-manager; https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#scaling-policies).
 */
const SYNC_SECONDS = 15;
const PERIOD_SECONDS = 30;
const PODS_A_PERIOD = 100;

export interface StepInLoad {
  readonly from: number;
  readonly to: number;
  /** Until the first look that sees the new load. */
  readonly seenAfterSeconds: number;
  /** As many pods as become ready in a second, however many are asked for. */
  readonly podsPerSecond: number;
}

/** Ready pods at each second from the step on, until there are enough. */
export function readyAfterStep({ from, to, seenAfterSeconds, podsPerSecond }: StepInLoad): number[] {
  const asked: number[] = [];
  const ready: number[] = [];
  for (let second = 0; ready.at(-1) !== to; second++) {
    const before = asked.at(-1) ?? from;
    const looks = second >= seenAfterSeconds && (second - seenAfterSeconds) % SYNC_SECONDS === 0;
    const atPeriodStart = asked[second - PERIOD_SECONDS] ?? from;
    const most = Math.max(atPeriodStart * 2, atPeriodStart + PODS_A_PERIOD);
    asked.push(looks ? Math.max(before, Math.min(to, most)) : before);
    const had = ready.at(-1) ?? from;
    ready.push(Math.min(asked[second] as number, had + podsPerSecond));
  }
  return ready;
}
