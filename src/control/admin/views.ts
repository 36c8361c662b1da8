/** The control plane's records as the admin API shows them. */
import type { z } from 'zod';
import type { Limits } from '../../model/function.ts';
import type { GuestLogLine } from '../../model/protocol.ts';
import type { RouteSpec } from '../../model/route.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import { VERSION } from '../../model/version.ts';
import type { InvokeResult } from '../invoke.ts';
import type { ReloadOutcome } from '../reload.ts';
import type { ThreadStatus } from '../supervisor.ts';
import { revisionId, type AuditEvent, type FunctionRecord, type Revision } from '../records.ts';
import type { RolloutProgress } from '../rollout-driver.ts';
import type { RolloutRecord } from '../rollouts.ts';
import type { Traffic } from '../traffic.ts';
import type * as schemas from './schemas.ts';

export function revisionView(revision: Revision): z.infer<typeof schemas.revision> {
  return {
    number: revision.number,
    id: revisionId(revision),
    digest: revision.digest,
    bytes: revision.bytes,
    kind: revision.kind,
    source: revision.source,
    created_at: isoTime(revision.createdAt),
    created_by: revision.createdBy,
    limits: limitsView(revision.configuration.limits),
    env: Object.keys(revision.configuration.env),
  };
}

/** `newest`: the newest revision that has traffic. */
export function summaryView(
  record: FunctionRecord,
  routes: readonly RouteSpec[],
  newest: Revision,
  rollout: z.infer<typeof schemas.rollout> | null,
): z.infer<typeof schemas.functionSummary> {
  return {
    name: record.name,
    owner: record.owner,
    routes: routes.map(({ host, path, methods, auth }) => ({
      host,
      path,
      methods: methods === null ? null : [...methods],
      auth,
    })),
    traffic: [...record.traffic],
    kind: newest.kind,
    digest: newest.digest,
    bytes: newest.bytes,
    rollout,
  };
}

export function rolloutView(
  rollout: RolloutRecord,
  traffic: Traffic,
  progress: RolloutProgress | null,
): z.infer<typeof schemas.rollout> {
  const { phase, candidate, stable, plan, position, changedAt, reason } = rollout;
  return {
    phase,
    candidate,
    stable,
    percent: traffic.find(({ revision }) => revision === candidate)?.weight ?? 0,
    step: position.step + 1,
    steps: [...plan.steps],
    since: isoTime(position.since),
    changed_at: isoTime(changedAt),
    reason: (phase === 'running' ? progress?.reason : null) ?? reason,
    seen: phase === 'running' && progress !== null ? progress.figures : null,
  };
}

export function eventView(event: AuditEvent): z.infer<typeof schemas.eventList>['events'][number] {
  return { ...event, time: isoTime(event.time), detail: { ...event.detail } };
}

export function logView(line: GuestLogLine): z.infer<typeof schemas.logLine> {
  return {
    time: isoTime(line.time),
    level: line.level,
    message: line.message,
    revision: line.revision,
    request_id: line.requestId,
  };
}

export function invocationView(result: InvokeResult): z.infer<typeof schemas.invocationResult> {
  const text = asUtf8(result.body);
  const headers = Object.entries(result.headers).filter(([, value]) => value !== undefined);
  return {
    status: result.status,
    headers: Object.fromEntries(headers) as Record<string, string | string[]>,
    body: text ?? result.body.toString('base64'),
    encoding: text === null ? 'base64' : 'utf8',
    milliseconds: Math.round(result.milliseconds * 1000) / 1000,
  };
}

export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function limitsView(limits: Limits): z.infer<typeof schemas.limits> {
  return {
    memory_bytes: limits.memoryBytes,
    cpu_budget_ms: limits.cpuBudgetMs,
    cpu_millicores: limits.cpuMillicores,
    request_timeout_ms: limits.requestTimeoutMs,
    max_request_body_bytes: limits.maxRequestBodyBytes,
    max_response_body_bytes: limits.maxResponseBodyBytes,
    max_concurrent_requests: limits.maxConcurrentRequests,
    queue_size: limits.queueSize,
    queue_timeout_ms: limits.queueTimeoutMs,
  };
}

function asUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** What `GET /v1/status` is made of. Times in milliseconds since the Unix epoch. */
export interface StatusParts {
  readonly startedAt: number;
  readonly gateway: string;
  readonly snapshot: Snapshot;
  readonly threads: readonly ThreadStatus[];
  readonly warnings: readonly string[];
  readonly lastReload: ReloadOutcome | null;
}

export function statusView(parts: StatusParts): z.infer<typeof schemas.status> {
  const { snapshot, lastReload } = parts;
  return {
    version: VERSION,
    started_at: isoTime(parts.startedAt),
    gateway: parts.gateway,
    snapshot: snapshot.version,
    functions: snapshot.functions.length,
    threads: parts.threads.map(({ role, index, state, restarts, applied }) => ({
      role,
      index,
      state,
      restarts,
      applied,
    })),
    warnings: [...parts.warnings],
    last_reload: lastReload === null ? null : reloadView(lastReload),
  };
}

export function reloadView(outcome: ReloadOutcome): z.infer<typeof schemas.reloadReport> {
  const { at, error, deployed, removed, needsRestart } = outcome;
  return {
    at: isoTime(at),
    ok: error === null,
    error: error?.message ?? null,
    deployed: [...deployed],
    removed: [...removed],
    needs_restart: [...needsRestart],
  };
}
