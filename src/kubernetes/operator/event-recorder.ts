/** Events for `kubectl describe` (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/). They help people; nothing depends on them. */
import type { Cluster } from '../cluster/cluster.ts';
import type { KubeObject } from '../cluster/objects.ts';
import { EVENTS } from '../cluster/resources.ts';
import type { Happening } from '../reconcile/actions.ts';
import { FIELD_MANAGER } from '../resources/names.ts';
import type { Time } from './time.ts';

/** The same is not said again within this time. */
const ONCE_IN_MS = 600_000;
const MOST_REMEMBERED = 10_000;
/** The API server's limit of a note. */
const LONGEST_NOTE = 1024;

export interface EventRecorderOptions {
  readonly cluster: Cluster;
  readonly time: Time;
  readonly identity: string;
  onFailure(error: unknown): void;
}

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  /** What was said, and when. */
  readonly #said = new Map<string, number>();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  async record(about: KubeObject, { type, reason, message }: Happening): Promise<void> {
    const { cluster, time, identity, onFailure } = this.#options;
    const { apiVersion, kind, metadata } = about;
    const { name, namespace = 'default', uid = '' } = metadata;
    const now = time.now();
    const content = `${uid} ${reason} ${message}`;
    if (now - (this.#said.get(content) ?? -Infinity) < ONCE_IN_MS) return;
    this.#remember(content, now);
    const event = {
      apiVersion: EVENTS.apiVersion,
      kind: EVENTS.kind,
      metadata: { name: `${name}.${now.toString(16)}${Math.random().toString(16).slice(2, 8)}`, namespace },
      eventTime: new Date(now).toISOString().replace('Z', '000Z'),
      reportingController: FIELD_MANAGER,
      reportingInstance: identity,
      action: 'Reconcile',
      type,
      reason,
      note: message.slice(0, LONGEST_NOTE),
      regarding: { apiVersion, kind, name, namespace, uid },
    };
    await cluster.create(event).catch(onFailure);
  }

  #remember(content: string, now: number): void {
    this.#said.delete(content);
    this.#said.set(content, now);
    if (this.#said.size <= MOST_REMEMBERED) return;
    const [oldest] = this.#said.keys();
    if (oldest !== undefined) this.#said.delete(oldest);
  }
}
