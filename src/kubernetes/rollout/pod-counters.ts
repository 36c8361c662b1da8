/**
 * What the pods of a gateway have counted of two revisions, summed since a rollout's window began. Pods come and go, and a
 * container that begins anew counts from 0. Pure.
 */
import { added, type Counts, type Figures, NO_COUNTS, since } from '../../rollout/plan.ts';

/** What one pod says of one function. */
export interface PodSample {
  /** Hash of the configuration that the pod serves; undefined: it does not say. */
  readonly configuration: string | undefined;
  /** By digest of the image, of those that share its requests. */
  readonly counts: ReadonlyMap<string, Counts>;
}

export interface Window {
  /** Which window of which rollout. */
  readonly key: string;
  /** By uid of the pod: what it said last. */
  readonly last: ReadonlyMap<string, Figures>;
  readonly figures: Figures;
  /** Configurations with which a pod had one revision, and it was not the candidate's. */
  readonly without: ReadonlySet<string>;
}

export interface Revisions {
  readonly stable: string;
  readonly candidate: string;
}

const NOTHING: Figures = { candidate: NO_COUNTS, stable: NO_COUNTS };

/** `before`: of this window or another one; `samples`: by uid of the pod, of those that answered. */
export function observe(
  before: Window | undefined,
  key: string,
  digests: Revisions,
  samples: ReadonlyMap<string, PodSample>,
): Window {
  const isNew = before?.key !== key;
  const known = isNew ? undefined : before;
  const last = new Map(known?.last);
  const without = new Set(known?.without);
  let figures = known?.figures ?? NOTHING;
  for (const [uid, { configuration, counts }] of samples) {
    const now: Figures = {
      candidate: counts.get(digests.candidate) ?? NO_COUNTS,
      stable: counts.get(digests.stable) ?? NO_COUNTS,
    };
    if (configuration !== undefined && counts.size === 1 && !counts.has(digests.candidate))
      without.add(configuration);
    // At the beginning of a window what was counted before is not its; a pod that joins later counts from its start.
    const then = last.get(uid) ?? (isNew ? now : NOTHING);
    figures = {
      candidate: added(figures.candidate, since(now.candidate, then.candidate)),
      stable: added(figures.stable, since(now.stable, then.stable)),
    };
    last.set(uid, now);
  }
  return { key, last, figures, without };
}

/** Which series holds which count. */
const SERIES = {
  mayfly_revision_requests_total: 'requests',
  mayfly_revision_errors_total: 'errors',
  mayfly_revision_slow_requests_total: 'slow',
} as const;

const LINE = /^(mayfly_revision_[a-z_]+)\{([^}]*)\} ([0-9.eE+]+)$/;
const CONFIGURATION = /^mayfly_config_info\{hash="([0-9a-f]+)"\}/;
const LABEL = /([a-z_]+)="([^"\\]*)"/g;

/** From the text of a pod's /metrics; what is not understood is passed over. */
export function sampleFrom(text: string, name: string): PodSample {
  const counts = new Map<string, Counts>();
  let configuration: string | undefined;
  for (const line of text.split('\n')) {
    configuration ??= CONFIGURATION.exec(line)?.[1];
    const match = LINE.exec(line);
    if (match === null) continue;
    const [, series, labelText, value] = match as unknown as [string, string, string, string];
    if (!Object.hasOwn(SERIES, series)) continue;
    const labels = new Map([...labelText.matchAll(LABEL)].map(([, key, text]) => [key, text]));
    const digest = labels.get('digest');
    if (labels.get('function') !== name || digest === undefined || !(Number(value) >= 0)) continue;
    const count = SERIES[series as keyof typeof SERIES];
    counts.set(digest, { ...(counts.get(digest) ?? NO_COUNTS), [count]: Number(value) });
  }
  return { configuration, counts };
}

/** `registry/name@sha256:…` → `sha256:…` */
export function digestIn(image: string): string {
  return image.slice(image.lastIndexOf('@') + 1);
}
