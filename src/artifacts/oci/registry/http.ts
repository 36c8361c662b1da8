/** One HTTP exchange with a registry: no redirects, no retries, an answer of bounded size. */
import { Agent, type Dispatcher, EnvHttpProxyAgent, errors, request } from 'undici';
import type { Environment } from './credentials.ts';

export interface Ask {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | undefined;
  /** Bytes of the answer from which on it is refused. */
  readonly most: number;
}

export interface Answer {
  readonly status: number;
  readonly url: URL;
  readonly body: Uint8Array;
  /** First value of a header; lower-case name. */
  header(name: string): string | undefined;
}

/** The connection failed. `received`: what had come of the body, when an answer had begun with `status`. */
export class ConnectionLost extends Error {
  readonly received: Uint8Array;
  readonly status: number | null;
  readonly reason: string;

  constructor(cause: unknown, status: number | null, received: Uint8Array) {
    const { message, code } = cause as NodeJS.ErrnoException;
    super(message, { cause });
    this.reason = code ?? message;
    this.status = status;
    this.received = received;
  }
}

export class AnswerTooLarge extends Error {}

export interface HttpOptions {
  /** PEM certificates that are trusted besides those of the system. */
  readonly ca: string | null;
  readonly env: Environment;
}

/** Longest silence of a registry. */
const PATIENCE_MS = 30_000;
const CONNECT_MS = 10_000;

export function createDispatcher({ ca, env }: HttpOptions): Dispatcher {
  const tls = ca === null ? {} : { ca };
  const options = {
    connect: { timeout: CONNECT_MS, ...tls },
    headersTimeout: PATIENCE_MS,
    bodyTimeout: PATIENCE_MS,
    keepAliveTimeout: 1000,
  };
  const httpProxy = env['http_proxy'] ?? env['HTTP_PROXY'];
  const httpsProxy = env['https_proxy'] ?? env['HTTPS_PROXY'];
  const noProxy = env['no_proxy'] ?? env['NO_PROXY'];
  if (httpProxy === undefined && httpsProxy === undefined) return new Agent(options);
  return new EnvHttpProxyAgent({
    ...options,
    requestTls: { timeout: CONNECT_MS, ...tls },
    ...(httpProxy !== undefined && { httpProxy }),
    ...(httpsProxy !== undefined && { httpsProxy }),
    ...(noProxy !== undefined && { noProxy }),
  });
}

/** Throws ConnectionLost and AnswerTooLarge. */
export async function exchange(dispatcher: Dispatcher, ask: Ask): Promise<Answer> {
  const received: Uint8Array[] = [];
  let length = 0;
  let answer: Dispatcher.ResponseData;
  let status: number | null = null;
  try {
    answer = await request(ask.url, {
      dispatcher,
      method: ask.method,
      headers: ask.headers,
      body: ask.body ?? null,
    });
    status = answer.statusCode;
    for await (const chunk of answer.body) {
      length += (chunk as Uint8Array).length;
      if (length > ask.most) {
        answer.body.destroy();
        throw new AnswerTooLarge(`more than ${ask.most} bytes`);
      }
      received.push(chunk as Uint8Array);
    }
  } catch (error) {
    if (error instanceof AnswerTooLarge) throw error;
    throw new ConnectionLost(rootCause(error), status, Buffer.concat(received));
  }
  const { headers } = answer;
  return {
    status: answer.statusCode,
    url: ask.url,
    body: Buffer.concat(received),
    header: (name) => {
      const value = headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
  };
}

/** undici wraps what the socket said, and Node collects the failures of several addresses. */
function rootCause(error: unknown): unknown {
  if (error instanceof AggregateError) return error.errors[0] ?? error;
  if (error instanceof errors.UndiciError && error.cause instanceof Error) return rootCause(error.cause);
  return error;
}
