import type { MessagePort } from 'node:worker_threads';
import type { RevisionSpec } from '../model/function.ts';
import type { Guest, GuestResponse, Outcome, RequestSource } from '../runtime/guest.ts';
import type { Pools } from '../runtime/pools.ts';
import type { LaneAnswer, LaneJob } from './lane-protocol.ts';

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
  #revisions: ReadonlyMap<string, RevisionSpec> = new Map();

  constructor(pools: Pools) {
    this.#pools = pools;
  }

  /** The revisions that may be asked for from now on. */
  setRevisions(revisions: readonly RevisionSpec[]): void {
    this.#revisions = new Map(revisions.map((revision) => [revision.id, revision]));
    this.#pools.keepOnly(new Set(this.#revisions.keys()));
  }

  serve(port: MessagePort): void {
    port.on('message', (job: LaneJob) => {
      const answer = this.#run(job);
      port.postMessage(answer, [answer.bytes]);
    });
  }

  #run(job: LaneJob): LaneAnswer {
    const revision = this.#revisions.get(job.revision);
    if (revision === undefined) return failure(job.id, 'unknown-revision');
    const pool = this.#pools.of(revision);
    let guest: Guest | null;
    try {
      guest = pool.take(performance.now()) ?? this.#pools.grow(pool);
    } catch {
      return failure(job.id, 'trapped');
    }
    if (guest === null) return failure(job.id, 'no-instance');
    const before = performance.now();
    const outcome = guest.run(this.#frame.show(job.frame), job.budgetMs);
    const runMs = performance.now() - before;
    const { logs } = guest;
    const answer =
      outcome === 'answered'
        ? success(job.id, guest.response, runMs, logs)
        : { ...failure(job.id, outcome), runMs, logs };
    if (guest.restore()) pool.give(guest);
    else pool.discard(guest);
    return answer;
  }
}

function success(id: number, response: GuestResponse, runMs: number, logs: LaneAnswer['logs']): LaneAnswer {
  const { status, headers, body, bodyStart, bodyEnd } = response;
  const bytes = new ArrayBuffer(headers.length + bodyEnd - bodyStart);
  const target = Buffer.from(bytes);
  headers.copy(target, 0);
  body.copy(target, headers.length, bodyStart, bodyEnd);
  return { id, outcome: 'answered', status, bytes, headersLength: headers.length, runMs, logs };
}

function failure(
  id: number,
  outcome: Exclude<Outcome, 'answered'> | 'unknown-revision' | 'no-instance',
): LaneAnswer {
  return { id, outcome, status: 0, bytes: new ArrayBuffer(0), headersLength: 0, runMs: 0, logs: null };
}
