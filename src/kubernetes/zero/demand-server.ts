/** Where gateways report: `POST /demand`. Every replica of the operator listens, also those that do not act. */
import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { MayflyError } from '../../model/errors.ts';
import type { DemandTable } from './demand-table.ts';
import { DEMAND_AUDIENCE, type Reporters } from './reporters.ts';

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
  reporters: Pick<Reporters, 'standingOf'>,
  now: () => number,
): Promise<DemandServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, (request, response) => {
    take(request, { demand, reporters, now }).then(
      (outcome) => answer(response, outcome),
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

interface Receiver {
  readonly demand: DemandTable;
  readonly reporters: Pick<Reporters, 'standingOf'>;
  now(): number;
}

/** The status, and what to do about it where it is no success. */
type Outcome = readonly [status: number, detail?: string];

/** Who nobody vouches for is told so before the body is looked at. */
async function take(request: IncomingMessage, { demand, reporters, now }: Receiver): Promise<Outcome> {
  if (request.url !== '/demand') return [404, 'Reports go to /demand.'];
  if (request.method !== 'POST') return [405, 'Reports are sent by POST.'];
  const standing = await reporters.standingOf(request.headers.authorization);
  if (standing === 'unknown')
    return [401, `Send a ServiceAccount's token with the audience ${DEMAND_AUDIENCE}: demand.token_file.`];
  if (standing === 'later') return [503, 'The token cannot be verified now. Send the next report as usual.'];
  const body = await readBody(request);
  if (body === null) return [413, `A report has at most ${MAX_BYTES} bytes.`];
  const parsed = report.safeParse(parseJson(body));
  if (!parsed.success) return [400, 'It is no report of a gateway.'];
  const { namespace } = standing;
  const isIts = ({ function: name }: { function: string }) => name.startsWith(`${namespace}/`);
  if (namespace !== 'every' && !parsed.data.functions.every(isIts))
    return [
      403,
      `The token is of namespace ${namespace}: it speaks of Functions there. Others: --demand-reporters.`,
    ];
  return demand.take(parsed.data, now()) ? [204] : [503, 'There is no room for more gateways.'];
}

/** Problem documents (RFC 9457); RFC 9110 §11.6.1 and §15.5.6 want a field each. */
function answer(response: ServerResponse, [status, detail]: Outcome): void {
  if (detail === undefined) return void response.writeHead(status).end();
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  if (status === 405) response.setHeader('allow', 'POST');
  const body = JSON.stringify({ title: STATUS_CODES[status], status, detail });
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(body);
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
