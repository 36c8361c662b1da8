/** Where gateways report: `POST /demand`. Every replica of the operator listens, also those that do not act. */
import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { MayflyError } from '../../model/errors.ts';
import type { DemandTable } from './demand-table.ts';

const MAX_BYTES = 256 * 1024;
const count = z.int().nonnegative();
const report = z.strictObject({
  gateway: z.string().min(1).max(100),
  functions: z
    .array(
      z.strictObject({
        function: z.string().regex(/^[a-z0-9-]{1,63}\/[a-z0-9-]{1,63}$/),
        open: count,
        answered: count,
      }),
    )
    .max(1000),
});

export interface DemandServer extends AsyncDisposable {
  readonly port: number;
}

/** Throws MayflyError when the port cannot be had. */
export async function startDemandServer(
  listen: { readonly host: string; readonly port: number },
  demand: DemandTable,
  now: () => number,
): Promise<DemandServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, (request, response) => {
    const answer = (status: number): void => void response.writeHead(status).end();
    if (request.url !== '/demand') return answer(404);
    if (request.method !== 'POST') return answer(405);
    readBody(request).then(
      (body) => {
        if (body === null) return answer(413);
        const parsed = report.safeParse(parseJson(body));
        if (!parsed.success) return answer(400);
        return answer(demand.take(parsed.data, now()) ? 204 : 503);
      },
      () => response.destroy(),
    );
  });
  server.maxConnections = 1000;
  try {
    server.listen(listen);
    await once(server, 'listening');
  } catch (error) {
    throw new MayflyError(`Cannot listen for the gateways' reports: ${(error as Error).message}`, {
      where: `${listen.host}:${listen.port}, --demand-port`,
      fix: 'Stop the other process, or choose another port.',
      cause: error,
    });
  }
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** null: it is too large. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
