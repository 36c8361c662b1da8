/** The one request that every server gets: an order of 133 bytes for the flash sale (examples/flash-sale). */
import { request } from 'node:http';

export const PATH = '/api/function';

export const ORDER =
  '{"sku":"tee-m","quantity":2,"customer":{"id":"u-1029","tier":"gold"},"note":"please deliver to the office, 2nd floor, by the stairs"}';

/** What the flash sale answers to it. */
const TOTAL = '"total":3980';

export function headersWith(token: string | null): Record<string, string> {
  const type = { 'Content-Type': 'application/json' };
  return token === null ? type : { ...type, Authorization: `Bearer ${token}` };
}

export interface Probe {
  readonly port: number;
  readonly path: string;
  readonly token: string | null;
  /** The Host field, where the address is not enough. */
  readonly host?: string;
  /** Part of every good answer; null: any 200 is good. */
  readonly expect?: string | null;
}

/** Does the server price the order? Used to wait for a start, and to know that what is measured is the real thing. */
export async function prices({ port, path, token, host, expect = TOTAL }: Probe): Promise<boolean> {
  const { status, text } = await post({ port, path, token, ...(host !== undefined && { host }) });
  if (status !== 200) return false;
  if (expect !== null && !text.includes(expect)) throw new Error(`Port ${port} answers wrongly: ${text}`);
  return true;
}

export function post(
  { port, path, token, host }: Probe,
  body = ORDER,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const length = { 'Content-Length': Buffer.byteLength(body) };
    const headers = { ...headersWith(token), ...length, ...(host !== undefined && { Host: host }) };
    const outgoing = request(
      { host: '127.0.0.1', port, path, method: 'POST', agent: false, headers, timeout: 5000 },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', reject);
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('timed out')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
