/** What the pods of gateways count of the Functions that are being rolled out. An operator that takes over counts anew. */
import { keyOf, type KubeObject } from '../cluster/objects.ts';
import { GATEWAYS } from '../cluster/resources.ts';
import { isReady } from '../isolate/serving.ts';
import { digestIn, observe, type PodSample, type Window } from '../rollout/pod-counters.ts';
import { statusOf } from '../rollout/pod-rollout.ts';
import { gatewayKey, podsOf } from './gateway-members.ts';
import type { Known } from './keeper.ts';

/** Asks a pod what it counted of a function; null: it does not say. */
export type AskCounts = (pod: KubeObject, name: string, signal: AbortSignal) => Promise<PodSample | null>;

export class RolloutWatch {
  readonly #ask: AskCounts;
  readonly #windows = new Map<string, Window>();

  constructor(ask: AskCounts) {
    this.#ask = ask;
  }

  /** Only what is on its way is asked for. */
  async look(object: KubeObject, known: Known, signal: AbortSignal): Promise<void> {
    const key = keyOf(object);
    const { stable, candidate, phase, window } = statusOf(object) ?? {};
    const gateway = known.get(GATEWAYS.kind, gatewayKey(object) ?? '');
    // Pods of its own are judged by themselves.
    const isElsewhere = (object['spec'] as { runtime?: string }).runtime !== 'isolate';
    if (
      isElsewhere ||
      phase !== 'Running' ||
      stable === undefined ||
      candidate === undefined ||
      gateway === undefined
    ) {
      this.#windows.delete(key);
      return;
    }
    const { name, uid } = object.metadata;
    const samples = new Map<string, PodSample>();
    await Promise.all(
      podsOf(gateway, known)
        .filter(isReady)
        .map(async (pod) => {
          const sample = await this.#ask(pod, name, signal);
          if (sample !== null) samples.set(pod.metadata.uid ?? '', sample);
        }),
    );
    const digests = { stable: digestIn(stable), candidate: digestIn(candidate) };
    const before = this.#windows.get(key);
    this.#windows.set(key, observe(before, `${uid} ${candidate} ${window}`, digests, samples));
  }

  /** What was seen of it since its window began; null: nothing yet. */
  seen(object: KubeObject): Window | null {
    return this.#windows.get(keyOf(object)) ?? null;
  }

  forget(key: string): void {
    this.#windows.delete(key);
  }
}
