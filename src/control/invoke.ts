/** Sends one request through the gateway, as a client would: what `mayfly invoke` and the console do. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { MayflyError } from '../model/errors.ts';

export interface InvokeOrder {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface InvokeResult {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** From the first byte sent to the last one received. */
  readonly milliseconds: number;
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Headers that the connection itself needs; a caller must not contradict them. */
const ours = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  'expect',
  'upgrade',
  'te',
  'trailer',
]);

/** Throws MayflyError `gateway-unreachable` when there is no answer within `timeoutMs`, or one that is not HTTP. */
export async function invokeGateway(
  gateway: { readonly host: string; readonly port: number; readonly secure: boolean },
  order: InvokeOrder,
  timeoutMs: number,
): Promise<InvokeResult> {
  const headers = Object.fromEntries(
    Object.entries(order.headers).filter(([name]) => !ours.has(name.toLowerCase())),
  );
  const { promise, resolve, reject } = Promise.withResolvers<InvokeResult>();
  const begun = performance.now();
  const request = (gateway.secure ? httpsRequest : httpRequest)({
    host: gateway.host,
    port: gateway.port,
    method: order.method,
    path: order.path,
    headers: { ...headers, ...(order.body.length > 0 ? { 'content-length': order.body.length } : {}) },
    agent: false,
    // It is this very process that answers, by a name that its certificate need not have.
    rejectUnauthorized: false,
    signal: AbortSignal.timeout(timeoutMs),
  });
  request.on('error', reject);
  request.on('response', (response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES)
        response.destroy(new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`));
      else chunks.push(chunk);
    });
    response.on('error', reject);
    response.on('end', () =>
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: Buffer.concat(chunks),
        milliseconds: performance.now() - begun,
      }),
    );
  });
  request.end(order.body);
  try {
    return await promise;
  } catch (error) {
    throw new MayflyError(`Cannot invoke through the gateway: ${(error as Error).message}`, {
      where: `${gateway.host}:${gateway.port}`,
      code: 'gateway-unreachable',
      cause: error,
    });
  }
}
