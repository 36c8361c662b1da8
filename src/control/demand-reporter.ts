/** Tells the operator how many requests functions in pods have: at once when the first one comes, else once a second. */
import { randomUUID } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { type OutgoingHttpHeaders, request } from 'node:http';
import type { DemandReport, FunctionDemand } from '../model/demand.ts';

const LOOK_EVERY_MS = 50;
const REPORT_EVERY_MS = 1000;
const PATIENCE_MS = 2000;

export interface DemandReporterOptions {
  /** Every address that the host name stands for is told: each operator knows all, whichever of them acts. */
  readonly url: string;
  /** What it is sent with; null: nothing. Nodes write a new one from time to time. */
  readonly tokenFile: string | null;
  read(): readonly FunctionDemand[];
  /** Called once when reports begin to fail, not for each. */
  onProblem(error: Error): void;
}

/** Whether there is something to say now: nobody waits for the second to pass while a request waits for a pod. */
function isUrgent(before: readonly FunctionDemand[], now: readonly FunctionDemand[]): boolean {
  const idle = new Set(before.filter(({ open }) => open === 0).map((item) => item.function));
  const known = new Set(before.map((item) => item.function));
  return now.some((item) => item.open > 0 && (idle.has(item.function) || !known.has(item.function)));
}

export function startDemandReporter(options: DemandReporterOptions): Disposable {
  const { url, tokenFile, read, onProblem } = options;
  const gateway = randomUUID();
  let told: readonly FunctionDemand[] = [];
  let toldAtMs = -Infinity;
  let failing = false;
  const look = async (): Promise<void> => {
    const functions = read();
    const nowMs = performance.now();
    if (functions.length === 0) return;
    if (!isUrgent(told, functions) && nowMs - toldAtMs < REPORT_EVERY_MS) return;
    [told, toldAtMs] = [functions, nowMs];
    try {
      await tellAll(new URL(url), authorization(tokenFile), { gateway, functions });
      failing = false;
    } catch (error) {
      if (!failing) onProblem(error as Error);
      failing = true;
    }
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function authorization(tokenFile: string | null): OutgoingHttpHeaders {
  if (tokenFile === null) return {};
  return { authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` };
}

/** One of them taking it is success: a replica that just starts or ends does not make a report lost. */
async function tellAll(url: URL, fields: OutgoingHttpHeaders, report: DemandReport): Promise<void> {
  const addresses = await lookup(url.hostname.replace(/^\[|\]$/g, ''), { all: true });
  await Promise.any(addresses.map(({ address }) => tell(url, address, fields, report))).catch(
    (error: AggregateError) => {
      throw error.errors[0] as Error;
    },
  );
}

function tell(url: URL, address: string, fields: OutgoingHttpHeaders, report: DemandReport): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const body = JSON.stringify(report);
  const headers = {
    ...fields,
    host: url.host,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  const { port, pathname: path } = url;
  const asked = request({
    host: address,
    port: port || 80,
    path,
    method: 'POST',
    headers,
    timeout: PATIENCE_MS,
  });
  asked.once('response', (response) => {
    response.resume();
    if (response.statusCode === 204) resolve();
    else reject(new Error(`${url.host} answered ${response.statusCode}`));
  });
  asked.once('timeout', () => asked.destroy(new Error(`${url.host} does not answer`)));
  asked.once('error', reject);
  asked.end(body);
  return promise;
}
