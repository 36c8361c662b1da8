/** The admin API on its own port: node:http, because here clarity counts and speed does not. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MayflyError } from '../../model/errors.ts';
import { checkHost, createTokenCheck } from './access.ts';
import { explainIssues } from './deploy-body.ts';
import type { Answer, BodyShape, Operation } from './operation.ts';
import { AdminProblem, toProblem, type ProblemDocument } from './problem.ts';
import { createRouter } from './router.ts';

export interface AdminServerOptions {
  readonly operations: readonly Operation[];
  readonly token: string;
  readonly host: string;
  readonly port: number;
  /** Failures of ours, not of the caller. */
  readonly onError: (error: unknown) => void;
}

export interface AdminServer extends AsyncDisposable {
  readonly port: number;
}

const MAX_JSON_BYTES = 32 * 1024 * 1024;
/** A follower that reads too slowly loses lines, it does not fill our memory. */
const MAX_UNREAD_BYTES = 1024 * 1024;
const HEARTBEAT_MS = 15_000;

/** Rejects with MayflyError when the port is in use or the address is not of this machine. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const route = createRouter(options.operations);
  const checkToken = createTokenCheck(options.token);
  const open = new Set(options.operations.filter((item) => item.open).map(({ path }) => path));
  const names = new Set(['localhost', '127.0.0.1', '[::1]', options.host.toLowerCase()]);

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    checkHost(request.headers.host, names);
    const [path, search] = splitTarget(request.url ?? '/');
    // The token comes before the route: whoever has none learns nothing about what is here.
    if (!open.has(path)) checkToken(request.headers.authorization);
    const { operation, params } = route(request.method ?? '', path);
    const call = {
      params: operation.params === undefined ? {} : checked(operation.params, params, 'path'),
      query: operation.query === undefined ? {} : checked(operation.query, queryOf(search), 'query'),
      body: operation.body === undefined ? undefined : await readBody(request, operation.body),
      actor: actorOf(request),
    };
    send(response, await operation.handle(call));
  };

  const server = createServer({ maxHeaderSize: 16_384, requestTimeout: 120_000 }, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      const problem = toProblem(error);
      if (problem.status === 500) options.onError(error);
      refuse(request, response, problem, error instanceof AdminProblem ? error.headers : {});
    });
  });
  server.maxConnections = 256;
  await listen(server, options.host, options.port);
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    const state = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
    reject(
      new MayflyError(`Cannot serve the admin API: ${state}`, {
        where: `${host}:${port}`,
        fix: 'Stop the other process, or set admin.port or admin.host.',
        exitCode: 1,
        code: 'admin-listen',
        cause: error,
      }),
    );
  });
  server.listen({ host, port }, resolve);
  return promise;
}

function send(response: ServerResponse, answer: Answer): void {
  if ('lines' in answer) {
    sendLines(response, answer);
  } else if (answer.json === undefined) {
    response.writeHead(answer.status).end();
  } else {
    sendJson(response, answer.status, 'application/json', answer.json);
  }
}

function sendJson(
  response: ServerResponse,
  status: number,
  type: string,
  json: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = Buffer.from(`${JSON.stringify(json)}\n`);
  response
    .writeHead(status, {
      'content-type': type,
      'content-length': text.length,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...headers,
    })
    .end(text);
}

function sendLines(response: ServerResponse, { lines, follow }: Extract<Answer, { lines: unknown }>): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.flushHeaders();
  const stop = lines((line) => {
    if (response.writableLength < MAX_UNREAD_BYTES) response.write(`${JSON.stringify(line)}\n`);
  });
  if (!follow) {
    stop();
    response.end();
    return;
  }
  // An empty line now and then, so that a client that vanished is noticed.
  const heartbeat = setInterval(() => response.write('\n'), HEARTBEAT_MS);
  response.on('close', () => {
    clearInterval(heartbeat);
    stop();
  });
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  problem: ProblemDocument,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // What was not read of a refused body ends with the connection.
  const close = request.complete ? {} : { connection: 'close' };
  sendJson(response, problem.status, 'application/problem+json', problem, { ...headers, ...close });
}

function splitTarget(target: string): [path: string, search: string] {
  const mark = target.indexOf('?');
  return mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
}

function queryOf(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search));
}

function checked(schema: NonNullable<Operation['params']>, value: unknown, place: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new AdminProblem(400, `bad-${place}`, `Bad ${place}`, explainIssues(result.error));
}

/** A label for the audit log that the caller may choose; it proves nothing. */
function actorOf(request: IncomingMessage): string {
  const sent = request.headers['mayfly-actor'];
  return typeof sent === 'string' && /^[\w.@ -]{1,64}$/.test(sent) ? sent : 'admin';
}

async function readBody(request: IncomingMessage, shape: BodyShape<unknown>): Promise<unknown> {
  const type = request.headers['content-type'] ?? '';
  if ('raw' in shape) {
    requireType(type, Object.keys(shape.raw.types));
    return shape.raw.read(await readBytes(request, shape.raw.maxBytes), type);
  }
  const bytes = await readBytes(request, MAX_JSON_BYTES);
  if (bytes.length === 0 && shape.optional === true) return shape.json.parse({});
  requireType(type, ['application/json']);
  return parseJson(bytes, shape.json);
}

function parseJson(
  bytes: Uint8Array,
  schema: Extract<BodyShape<unknown>, { json: unknown }>['json'],
): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new AdminProblem(400, 'bad-body', 'Bad body', 'The body is not JSON.');
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new AdminProblem(400, 'bad-body', 'Bad body', explainIssues(result.error));
}

function requireType(sent: string, known: readonly string[]): void {
  const essence = (sent.split(';')[0] as string).trim().toLowerCase();
  if (known.includes(essence)) return;
  throw new AdminProblem(415, 'unsupported-type', 'Unsupported media type', `Send ${known.join(' or ')}.`, {
    accept: known.join(', '),
  });
}

async function readBytes(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new AdminProblem(413, 'too-large', 'Content too large', `The body may have ${limit} bytes.`);
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Kept open when we stop early: the refusal still has to reach the caller.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > limit) throw tooLarge();
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (error instanceof AdminProblem) throw error;
    throw new AdminProblem(400, 'bad-body', 'Bad body', 'The body ended too early.');
  }
  return Buffer.concat(chunks);
}
