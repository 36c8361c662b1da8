import {
  Reference,
  type ReferenceObservation,
  type ReferenceRequest,
  understoodByReference,
} from './http-reference.ts';
import { type Facts, type Stricter, factsOf, stricter } from './http-stricter.ts';
import { MAX_BODY, type Observation, Subject } from './http-subject.ts';

/**
 * Mayfly's connection against llhttp on the same bytes. They agree when both understood the same requests, byte for
 * byte, up to the same place. Mayfly may refuse more, but only what is on the list (http-stricter.ts) or what the
 * framing rules below name. It may never take what llhttp refuses.
 */
export class Differential {
  readonly #subject = new Subject();
  readonly #reference = new Reference();
  /** How often each entry of the list was the reason, to see that the fuzzer gets there. */
  readonly reasons = new Map<string, number>();
  accepted = 0;
  /** Where the body of the last request that both took ended. */
  #previousEnd = 0;

  /** What they disagree about, null when they agree. */
  compare(bytes: Buffer, cuts: readonly number[]): string | null {
    const ours = this.#subject.observe(bytes, cuts);
    const theirs = this.#reference.observe(bytes);
    const taken = ours.requests.length;
    this.accepted += taken;
    for (let i = 0; i < taken; i++) {
      const request = theirs.requests[i];
      if (request === undefined)
        return `request ${i} is taken by Mayfly only; llhttp says ${theirs.error || 'more'}`;
      const facts = factsOf(request);
      const keepAlive = keepsAlive(facts);
      const persistenceDiffers = keepAlive !== request.keepAlive;
      if (persistenceDiffers && !mayDifferInPersistence(facts))
        return `request ${i}: llhttp says keepAlive ${!keepAlive}`;
      const expected = understoodByReference(request, facts.target, keepAlive);
      if (ours.requests[i].text !== expected)
        return `request ${i} differs:\n${ours.requests[i].text}\n--- llhttp:\n${expected}`;
      const wrongly = stricter.find((entry) => entry.applies(facts));
      if (wrongly !== undefined) return `request ${i} should be refused: ${wrongly.name}`;
      if (request.upgrade || persistenceDiffers) return null; // llhttp reads no further, or otherwise
    }
    const next = theirs.requests[taken] ?? theirs.partial;
    if (ours.refusal !== 0) return this.#explainRefusal(ours, next, theirs, bytes);
    if (ours.closed) return null;
    if (theirs.requests.length > taken) return `llhttp took request ${taken}, Mayfly waits`;
    if (ours.inBody !== (theirs.partial !== null) && theirs.error === '')
      return 'one waits for a body, the other does not';
    if (ours.inBody && theirs.error !== '')
      return `Mayfly waits for a body that llhttp refuses: ${theirs.error}`;
    return null;
  }

  /** Mayfly refused: fine when llhttp did too, else there must be a reason on the list. */
  #explainRefusal(
    ours: Observation,
    next: ReferenceRequest | null | undefined,
    theirs: ReferenceObservation,
    bytes: Buffer,
  ): string | null {
    const taken = ours.requests.length;
    this.#previousEnd = taken === 0 ? 0 : (theirs.requests[taken - 1]?.end ?? 0);
    if (next === null && theirs.error === '') {
      // Mayfly knew before the head was complete: let llhttp see its end, too.
      const ended = this.#reference.observe(Buffer.concat([bytes, endOfHead]));
      return this.#explain(
        ours,
        ended.requests[taken] ?? ended.partial,
        ended.error,
        ended.requests.length > taken,
        bytes,
      );
    }
    return this.#explain(ours, next, theirs.error, theirs.requests.length > taken, bytes);
  }

  #explain(
    ours: Observation,
    next: ReferenceRequest | null | undefined,
    error: string,
    complete: boolean,
    bytes: Buffer,
  ): string | null {
    const reasons = next === null || next === undefined ? [] : reasonsFor(next);
    // With several reasons it depends on the order of the scanner which one is told.
    const reason = reasons.find((entry) => entry.status === ours.refusal);
    if (reason !== undefined) {
      this.#count(reason.name);
      return null;
    }
    if (error !== '' && !complete) {
      this.#count('llhttp refuses too');
      return null;
    }
    const framing = framingReason(ours, next, bytes.toString('latin1', 0, bytes.length), this.#previousEnd);
    if (framing === null) {
      const expected = reasons.map((entry) => `${entry.status} (${entry.name})`).join(', ');
      return `refused with ${ours.refusal} for no reason on the list; expected ${expected || 'acceptance'}`;
    }
    this.#count(framing);
    return null;
  }

  #count(reason: string): void {
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }
}

/** RFC 9112 §9.3. */
function keepsAlive({ request, fields }: Facts): boolean {
  const options = (fields.get('connection') ?? [])
    .join(',')
    .toLowerCase()
    .split(/[ \t]*,[ \t]*/);
  if (options.includes('close')) return false;
  return request.minor === 11 || options.includes('keep-alive');
}

/**
 * Three known differences: llhttp takes the relic Proxy-Connection for a Connection field, lets keep-alive win over
 * close in HTTP/1.0, where the RFC says that close wins, and overlooks an option that a tab follows.
 */
function mayDifferInPersistence({ request, fields }: Facts): boolean {
  if (fields.has('proxy-connection') || (request.minor === 10 && fields.has('connection'))) return true;
  return request.headers.some(([name, value]) => /^connection$/i.test(name) && value.includes('\t'));
}

const endOfHead = Buffer.from('\r\n\r\n');

function reasonsFor(request: ReferenceRequest): Stricter[] {
  const facts: Facts = factsOf(request);
  return stricter.filter((entry) => entry.applies(facts));
}

/** Reasons that llhttp's view of the request does not show: empty lines, chunk extensions and trailers, sizes. */
function framingReason(
  ours: Observation,
  next: ReferenceRequest | null | undefined,
  text: string,
  previousEnd: number,
): string | null {
  const status = ours.refusal;
  const chunked = next?.headers.some(([name]) => name.toLowerCase() === 'transfer-encoding') ?? false;
  if (status === 413 && next !== null && next !== undefined) {
    if (chunked) return 'chunked body too large';
    const length = next.headers.find(([name]) => name.toLowerCase() === 'content-length');
    if (length !== undefined && Number(length[1]) > MAX_BODY) return 'body too large';
  }
  if (status === 431 && text.length > 8192) return 'head or trailer too large';
  if (status === 400 && chunked && /\n[0-9a-f]{17}/i.test(text)) return 'chunk size of more than 16 digits';
  if (status === 400 && chunked && /[0-9a-f];/i.test(text))
    return 'chunk extension with white space or in quotes, or too long';
  const rest = text.slice(previousEnd);
  if (status === 400 && /^[\r\n]|\r\r|\n\n|[^\r]\n|\n\r[^\n]|\r\n\r\n\r\n/.test(rest)) {
    return 'more than one empty line before a request, or a bare CR or LF there';
  }
  if (status === 400 && /[A-Z] {2}[^\r\n]* HTTP\/|[^ \r\n] {2,}HTTP\//.test(text))
    return 'more than one space in the request line';
  if (status === 501 && (next === null || next === undefined)) return 'method so far is unknown';
  return null;
}
