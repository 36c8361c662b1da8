/**
 * The load generators, each with what it is good for:
 * - wrk: a closed loop, as fast as the server answers. Measures capacity; its latencies are those at saturation.
 * - h2load: paced (`--rps` per connection). Measures latency at a rate; a slow answer delays the next request on its
 *   connection only, but its latencies are not corrected for that (coordinated omission).
 * - oha: open loop with correction, up to about 20,000/s beside a server on two cores (oha-program.ts finds or brings it).
 * Every run is bounded: by its own duration, and by a kill a few seconds later.
 */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { cpuTicks } from './process.ts';
import { quantile } from './statistics.ts';

const GRACE_MS = 8000;

/** Latencies in milliseconds. */
export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** Answers that were not 2xx or 3xx, and connections that broke. */
  readonly errors: number;
  /** CPU seconds of the generator itself. */
  readonly generatorCpuSeconds: number;
}

export interface Target {
  readonly port: number;
  /** The port speaks TLS. */
  readonly secure?: boolean;
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface WrkOptions {
  readonly connections: number;
  readonly seconds: number;
  /** A script of wrkScript(). */
  readonly script: string;
  /** What it is started by: `['taskset', '-c', '1']` keeps it on the second core. */
  readonly prefix?: readonly string[];
}

/** A script for wrk that sends one of `requests` after the other, in random order when there are several. */
export function wrkScript(file: string, requests: readonly Omit<Target, 'port'>[]): string {
  const [first] = requests;
  if (first === undefined) throw new RangeError('A load needs a request');
  const lines = requests.map(
    ({ path, body, headers }) =>
      `  { path = ${lua(path)}, body = ${lua(body)}, headers = { ${Object.entries(headers)
        .map(([name, value]) => `[${lua(name)}] = ${lua(value)}`)
        .join(', ')} } },`,
  );
  const several = `
local bytes = {}
function init()
  for i, r in ipairs(requests) do bytes[i] = wrk.format("POST", r.path, r.headers, r.body) end
end
function request() return bytes[math.random(#bytes)] end`;
  const one = `
wrk.method, wrk.body, wrk.headers = "POST", requests[1].body, requests[1].headers`;
  writeFileSync(
    file,
    `local requests = {
${lines.join('\n')}
}
${requests.length > 1 ? several : one}
function done(summary, latency)
  local e = summary.errors
  print(string.format('RESULT {"requests":%d,"seconds":%.6f,"p50":%d,"p99":%d,"p999":%d,"max":%d,"errors":%d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    latency.max, e.connect + e.read + e.write + e.status + e.timeout))
end
`,
  );
  return file;
}

export async function wrk(port: number, path: string, options: WrkOptions): Promise<LoadResult> {
  const { connections, seconds, script } = options;
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '5s', '-s', script];
  const [program = 'wrk', ...rest] = [...(options.prefix ?? []), 'wrk'];
  const url = `http://127.0.0.1:${port}${path}`;
  const { output, cpuSeconds } = await generate(program, [...rest, ...args, url], seconds);
  const found = /RESULT (.*)/.exec(output)?.[1];
  if (found === undefined) throw new Error(`wrk gave no result:\n${output}`);
  const result = JSON.parse(found) as Record<string, number>;
  const get = (key: string): number => result[key] ?? Number.NaN;
  return {
    requests: get('requests'),
    requestsPerSecond: get('requests') / get('seconds'),
    p50Ms: get('p50') / 1000,
    p99Ms: get('p99') / 1000,
    p999Ms: get('p999') / 1000,
    maxMs: get('max') / 1000,
    errors: get('errors'),
    generatorCpuSeconds: cpuSeconds,
  };
}

export interface PacedOptions {
  readonly connections: number;
  readonly seconds: number;
  readonly requestsPerSecond: number;
  /** Folder for the request body and the log of single requests. */
  readonly scratch: string;
}

export interface H2loadOptions extends Omit<PacedOptions, 'requestsPerSecond'> {
  /** Null: each connection sends the next request when it has the answer. */
  readonly requestsPerSecond: number | null;
  /** HTTP/1.1 unless said otherwise; HTTP/2 needs a secure target. */
  readonly protocol?: 'http/1.1' | 'h2';
  /** Requests under way on each connection, 1 unless said otherwise: streams of HTTP/2. */
  readonly streams?: number;
}

/** h2load, at a constant rate or as fast as the server answers. Percentiles come from its log of every request. */
export async function h2load(target: Target, options: H2loadOptions): Promise<LoadResult> {
  const { connections, seconds, requestsPerSecond, scratch, protocol, streams = 1 } = options;
  const unique = `${process.pid}-${Math.random().toString(36).slice(2)}`;
  const bodyFile = join(scratch, `h2load-${unique}.body`);
  const logFile = join(scratch, `h2load-${unique}.log`);
  writeFileSync(bodyFile, target.body);
  // Less than one request per second and connection is not a pace.
  const used = Math.max(1, Math.min(connections, Math.floor(requestsPerSecond ?? Infinity)));
  const headers = Object.entries(target.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const { output, cpuSeconds } = await generate(
    'h2load',
    [
      ...(protocol === 'h2' ? [] : ['--h1']),
      '-t1',
      `-c${used}`,
      `-m${streams}`,
      `-D${seconds}`,
      ...(requestsPerSecond === null ? [] : [`--rps=${(requestsPerSecond / used).toFixed(3)}`]),
      `--data=${bodyFile}`,
      `--log-file=${logFile}`,
      ...headers,
      `${target.secure === true ? 'https' : 'http'}://127.0.0.1:${target.port}${target.path}`,
    ],
    seconds,
  );
  return readH2loadLog(logFile, output, seconds, cpuSeconds);
}

/** Lines of `start in µs since 1970 \t status \t duration in µs`. */
async function readH2loadLog(
  file: string,
  output: string,
  seconds: number,
  cpuSeconds: number,
): Promise<LoadResult> {
  const durations: number[] = [];
  let errors = 0;
  for (const line of (await readFile(file, 'latin1')).split('\n')) {
    const [, status, duration] = line.split('\t');
    if (duration === undefined) continue;
    if (Number(status) >= 200 && Number(status) < 400) durations.push(Number(duration) / 1000);
    else errors++;
  }
  await rm(file);
  await rm(file.replace(/\.log$/, '.body'));
  // A run to its end without one answer is a result too.
  if (durations.length === 0 && errors === 0 && !output.includes('finished in'))
    throw new Error(`h2load gave no result:\n${output}`);
  const sorted = Float64Array.from(durations).toSorted();
  const at = (q: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
  return {
    requests: durations.length,
    requestsPerSecond: durations.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    maxMs: at(1),
    errors,
    generatorCpuSeconds: cpuSeconds,
  };
}

/** oha at a constant rate, latencies corrected for coordinated omission. */
export async function oha(program: string, target: Target, options: PacedOptions): Promise<LoadResult> {
  const { connections, seconds, requestsPerSecond } = options;
  const headers = Object.entries(target.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const { output, cpuSeconds } = await generate(
    program,
    [
      '--no-tui',
      '--output-format=json',
      '--latency-correction',
      '-mPOST',
      `-d${target.body}`,
      `-c${connections}`,
      `-z${seconds}s`,
      `-q${Math.round(requestsPerSecond)}`,
      ...headers,
      `http://127.0.0.1:${target.port}${target.path}`,
    ],
    seconds,
  );
  const result = JSON.parse(output.slice(output.indexOf('{'))) as {
    summary: { requestsPerSec: number; slowest: number };
    latencyPercentiles: Record<string, number>;
    statusCodeDistribution: Record<string, number>;
    errorDistribution: Record<string, number>;
  };
  const codes = Object.entries(result.statusCodeDistribution);
  const good = codes.filter(([code]) => Number(code) < 400).reduce((n, [, count]) => n + count, 0);
  const bad = codes.reduce((n, [, count]) => n + count, 0) - good;
  const ms = (key: string): number => (result.latencyPercentiles[key] ?? Number.NaN) * 1000;
  return {
    requests: good,
    requestsPerSecond: good / seconds,
    p50Ms: ms('p50'),
    p99Ms: ms('p99'),
    p999Ms: ms('p99.9'),
    maxMs: result.summary.slowest * 1000,
    errors: bad,
    generatorCpuSeconds: cpuSeconds,
  };
}

/** Median of each figure over rounds. */
export function medianLoad(rounds: readonly LoadResult[]): LoadResult {
  const of = (key: keyof LoadResult): number =>
    quantile(
      rounds.map((round) => round[key]),
      0.5,
    );
  return {
    requests: of('requests'),
    requestsPerSecond: of('requestsPerSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    p999Ms: of('p999Ms'),
    maxMs: of('maxMs'),
    errors: rounds.reduce((total, { errors }) => total + errors, 0),
    generatorCpuSeconds: of('generatorCpuSeconds'),
  };
}

export function findProgram(name: string): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file)) ?? null;
}

/** Runs a generator to its end; it cannot outlive its duration by more than a few seconds. */
async function generate(
  program: string,
  args: readonly string[],
  seconds: number,
): Promise<{ output: string; cpuSeconds: number }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  let ticks = 0;
  const watch = setInterval(() => (ticks = Math.max(ticks, cpuTicks(child.pid ?? 0))), 50);
  const guard = setTimeout(() => child.kill('SIGKILL'), seconds * 1000 + GRACE_MS);
  const end = (): void => void child.kill('SIGKILL');
  process.once('exit', end);
  try {
    await new Promise<void>((ended, failed) => {
      child.once('close', () => ended());
      child.once('error', failed);
    });
  } finally {
    clearInterval(watch);
    clearTimeout(guard);
    process.removeListener('exit', end);
  }
  return { output, cpuSeconds: ticks / 100 };
}

/** JSON's escapes are Lua's for what requests are made of. */
function lua(text: string): string {
  return JSON.stringify(text);
}
