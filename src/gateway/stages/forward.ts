import { performance } from 'node:perf_hooks';
import { CONTENT_LENGTH, HOST } from '../../http/fields.ts';
import type { ProblemCode } from '../../model/problems.ts';
import type { UpstreamSpec } from '../../model/upstream.ts';
import { functionCounter } from '../../observability/definitions.ts';
import type { UpstreamFailure, UpstreamRequest } from '../../upstream/request.ts';
import type { Ticket } from '../../upstream/upstream.ts';
import type { Call } from '../call.ts';
import { isSkipped } from '../call-frame.ts';
import type { Gateway } from '../gateway.ts';
import { unavailable } from '../refusals.ts';
import { INVOKE, WAIT, type Verdict } from '../verdict.ts';
import { respond } from './respond.ts';

interface Failure {
  /** null: 503 with Retry-After, since the same request may well succeed in a moment. */
  readonly problem: ProblemCode | null;
  readonly counter: number;
}

const FAILURES: Readonly<Record<UpstreamFailure, Failure>> = {
  unreachable: { problem: 'upstream-failed', counter: functionCounter.upstreamUnreachable },
  'held-too-long': { problem: null, counter: functionCounter.upstreamHeldTooLong },
  'no-room': { problem: null, counter: functionCounter.upstreamNoRoom },
  broken: { problem: 'upstream-failed', counter: functionCounter.upstreamBroken },
  malformed: { problem: 'upstream-failed', counter: functionCounter.upstreamMalformed },
  'too-large': { problem: 'response-too-large', counter: functionCounter.upstreamTooLarge },
};

/**
 * Sends the request to where the function runs. It holds its place meanwhile, also while it waits for the upstream to be
 * reachable; that time does not count as time of the function (`request_timeout`).
 */
export function forward(gateway: Gateway, call: Call, { url, holdMs }: UpstreamSpec): Verdict {
  const { turn } = call;
  const { requestTimeoutMs } = call.revision().limits;
  const request = requestOf(call);
  let ticket: Ticket | null = null;
  call.wait(() => ticket?.withdraw());
  ticket = gateway.upstreams.of(url).send(request, holdMs, {
    answered: ({ status, headers, body, length }) => {
      if (!call.waited(turn)) return;
      call.mark(INVOKE);
      respond(call, { status, headers, body, bodyStart: 0, bodyEnd: length });
      gateway.lifecycle.finish(call);
    },
    failed: (failure) => {
      if (!call.waited(turn)) return;
      call.mark(INVOKE);
      failed(gateway, call, failure);
      gateway.lifecycle.finish(call);
    },
    held: () => {
      call.deadlineMs = Infinity;
      gateway.metrics.add(call.slot(), functionCounter.held, 1);
    },
    released: () => {
      call.deadlineMs = performance.now() + requestTimeoutMs;
    },
  });
  return WAIT;
}

function failed(gateway: Gateway, call: Call, failure: UpstreamFailure): void {
  const { problem, counter } = FAILURES[failure];
  gateway.metrics.add(call.slot(), counter, 1);
  if (problem === null) return unavailable(call);
  call.requestId();
  call.exchange.problem(problem);
}

/** A copy: the bytes of an exchange are used again while the upstream reads. */
function requestOf(call: Call): UpstreamRequest {
  const { head, bytes, body, bodyStart, bodyEnd } = call.exchange;
  const query =
    head.queryEnd > head.queryStart ? `?${bytes.toString('latin1', head.queryStart, head.queryEnd)}` : '';
  return {
    method: call.method(),
    target: call.path() + query,
    headers: headersOf(call),
    body:
      bodyEnd > bodyStart || head.row(CONTENT_LENGTH) >= 0
        ? Buffer.from(body.subarray(bodyStart, bodyEnd))
        : null,
    maxResponseBytes: call.revision().limits.maxResponseBodyBytes,
  };
}

/** What only the gateway may say of where a request came from: a client's own words are not passed on. */
const FORWARDING = /^(forwarded|x-forwarded-(for|host|proto|port|prefix|server)|x-real-ip)$/i;

function headersOf(call: Call): string[] {
  const { head, bytes, secure } = call.exchange;
  const headers: string[] = [];
  let host = '';
  for (let row = 0; row < head.headerCount; row++) {
    const kind = head.kinds[row];
    const value = (): string => bytes.toString('latin1', head.valueStart(row), head.valueEnd(row));
    if (kind === HOST) host = value();
    if (kind === HOST || kind === CONTENT_LENGTH || isSkipped(kind)) continue;
    const name = bytes.toString('latin1', head.nameStart(row), head.nameEnd(row));
    if (!FORWARDING.test(name)) headers.push(name, value());
  }
  if (host === '') host = call.host();
  headers.push('host', host, 'x-request-id', call.requestId());
  headers.push(
    'x-forwarded-for',
    call.ip(),
    'x-forwarded-proto',
    secure ? 'https' : 'http',
    'x-forwarded-host',
    host,
  );
  return headers;
}
