import type { MessagePort } from 'node:worker_threads';
import { monotonicNow } from '../limits/monotonic.ts';
import type { RevisionSpec } from '../model/function.ts';
import type { Guest, GuestResponse, Outcome, RequestSource } from '../runtime/guest.ts';
import type { Pools } from '../runtime/pools.ts';
import type { LaneAnswer, LaneJob, NotRun } from './lane-protocol.ts';

/** Longer than any request waits. */
const KEEP_MS = 600_000;

/** A request frame that came ready-made from a front thread. */
class ReceivedFrame implements RequestSource {
  #bytes: Buffer = Buffer.alloc(0);

  show(frame: ArrayBuffer): this {
    this.#bytes = Buffer.from(frame);
    return this;
  }

  frameLength(): number {
    return this.#bytes.length;
  }

  writeFrame(target: Buffer, at: number): void {
    this.#bytes.copy(target, at);
  }
}

/**
 * The inside of a lane thread: takes requests from the front threads, one at a time, and runs them with their whole CPU
 * budget. Nobody else waits on this thread, so it may take its time.
 */
export class Lane {
  readonly #pools: Pools;
  readonly #frame = new ReceivedFrame();
  readonly #revisions = new Map<string, { readonly revision: RevisionSpec; forgetAtMs: number }>();
  /** Jobs that were here before the snapshot that explains them. */
  #early: { readonly port: MessagePort; readonly job: LaneJob }[] = [];

  constructor(pools: Pools) {
    this.#pools = pools;
  }

  /** The revisions of a new snapshot. Those of earlier ones are kept a while for the requests that began with them. */
  setRevisions(revisions: readonly RevisionSpec[], nowMs: number): void {
    for (const known of this.#revisions.values())
      known.forgetAtMs = Math.min(known.forgetAtMs, nowMs + KEEP_MS);
    for (const revision of revisions) this.#revisions.set(revision.id, { revision, forgetAtMs: Infinity });
    for (const [id, { forgetAtMs }] of this.#revisions) if (forgetAtMs <= nowMs) this.#revisions.delete(id);
    this.#pools.keepOnly(new Set(this.#revisions.keys()));
    const waiting = this.#early;
    this.#early = [];
    for (const { port, job } of waiting) answer(port, this.#run(job));
  }

  serve(port: MessagePort): void {
    port.on('message', (job: LaneJob) => {
      // The snapshot comes another way and may be a little later.
      if (this.#revisions.has(job.revision)) answer(port, this.#run(job));
      else this.#early.push({ port, job });
    });
  }

  #run(job: LaneJob): LaneAnswer {
    const revision = this.#revisions.get(job.revision)?.revision;
    if (revision === undefined) return failure(job.id, 'unknown-revision');
    const wallMs = job.deadlineMs - monotonicNow();
    if (wallMs <= 0) return failure(job.id, 'too-late');
    const pool = this.#pools.of(revision);
    let guest: Guest | null;
    try {
      guest = pool.take(performance.now()) ?? this.#pools.grow(pool);
    } catch {
      return failure(job.id, 'trapped');
    }
    if (guest === null) return failure(job.id, 'no-instance');
    const { outcome, cpuMs, spoiled } = runWithin(guest, this.#frame.show(job.frame), job.budgetMs, wallMs);
    const answer = outcome === 'answered' ? success(job.id, guest.response) : failure(job.id, outcome);
    const { logs } = guest;
    const discarded = spoiled || !guest.restore();
    if (discarded) pool.discard(guest);
    else pool.give(guest);
    return { ...answer, cpuMs, discarded, logs };
  }
}

/** Used so much of its CPU budget, a run that was stopped has had its share. */
const HAD_ITS_SHARE = 0.8;
/** Allowance for a share of the core that shrinks from one try to the next. */
const MARGIN = 1.25;

/**
 * Runs a guest until it has used `budgetMs` of CPU. What stops it is a deadline in elapsed time, so where the thread got
 * only a part of a core the run is stopped too early: then it is begun anew with as much time as the budget takes at
 * that share. Beginning anew is sound because a run has no effect before its answer. `spoiled`: the guest cannot be restored.
 */
function runWithin(
  guest: Guest,
  request: RequestSource,
  budgetMs: number,
  wallMs: number,
): { readonly outcome: Outcome; readonly cpuMs: number; readonly spoiled: boolean } {
  const startedMs = performance.now();
  let allowedMs = Math.min(budgetMs, wallMs);
  let totalMs = 0;
  for (;;) {
    const before = process.threadCpuUsage();
    const beganMs = performance.now();
    const outcome = guest.run(request, allowedMs);
    const now = performance.now();
    const used = process.threadCpuUsage(before);
    const cpuMs = (used.user + used.system) / 1000;
    totalMs += cpuMs;
    const leftMs = wallMs - (now - startedMs);
    if (outcome !== 'cpu-exceeded' || cpuMs >= budgetMs * HAD_ITS_SHARE || leftMs < allowedMs) {
      return { outcome, cpuMs: totalMs, spoiled: false };
    }
    if (!guest.restore()) return { outcome, cpuMs: totalMs, spoiled: true };
    const share = Math.max(cpuMs, 1) / (now - beganMs);
    allowedMs = Math.min(leftMs, (budgetMs / share) * MARGIN);
  }
}

function answer(port: MessagePort, result: LaneAnswer): void {
  port.postMessage(result, [result.bytes]);
}

const nothing = { cpuMs: 0, discarded: false, logs: null };

function success(id: number, response: GuestResponse): LaneAnswer {
  const { status, headers, body, bodyStart, bodyEnd } = response;
  const bytes = new ArrayBuffer(headers.length + bodyEnd - bodyStart);
  const target = Buffer.from(bytes);
  headers.copy(target, 0);
  body.copy(target, headers.length, bodyStart, bodyEnd);
  return { ...nothing, id, outcome: 'answered', status, bytes, headersLength: headers.length };
}

function failure(id: number, outcome: Exclude<Outcome, 'answered'> | NotRun): LaneAnswer {
  return { ...nothing, id, outcome, status: 0, bytes: new ArrayBuffer(0), headersLength: 0 };
}
