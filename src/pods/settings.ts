/**
 * What a pod's server is told, as it is written into the module: lines of `key=value` (pod/assembly/settings.ts reads
 * them). Times in milliseconds, sizes in bytes.
 */
import type { Limits } from '../model/function.ts';
import type { RouteSpec } from '../model/route.ts';
import type { HttpSpec } from '../model/snapshot.ts';

export interface PodSettings {
  /** The function's name: in its log lines, and argument 0 of a wagi. */
  readonly name: string;
  /** An IPv4 address, or `::`. */
  readonly host: string;
  /** The environment variable PORT overrides it. */
  readonly port: number;
  /** LOG_LEVEL overrides it. */
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly http: Pick<
    HttpSpec,
    'maxHeadBytes' | 'maxHeaders' | 'maxTargetBytes' | 'timeoutMs' | 'maxConnections'
  >;
  readonly limits: Pick<
    Limits,
    'requestTimeoutMs' | 'cpuBudgetMs' | 'maxRequestBodyBytes' | 'maxResponseBodyBytes'
  >;
  /** Variables of the process with these names override the values. */
  readonly env: Readonly<Record<string, string>>;
  readonly routes: readonly Pick<RouteSpec, 'host' | 'path' | 'methods'>[];
}

/** The lines, with their length in bytes (u32, little-endian) in front. */
export function encodePodSettings(settings: PodSettings): Uint8Array {
  const { http, limits } = settings;
  const lines = [
    ['name', settings.name],
    ['host', settings.host],
    ['port', settings.port],
    ['log_level', settings.logLevel],
    ['max_connections', http.maxConnections],
    ['max_header_size', http.maxHeadBytes],
    ['max_headers', http.maxHeaders],
    ['max_target_size', http.maxTargetBytes],
    ['timeout', http.timeoutMs],
    ['request_timeout', limits.requestTimeoutMs],
    ['cpu_budget', limits.cpuBudgetMs],
    ['max_request_body', limits.maxRequestBodyBytes],
    ['max_response_body', limits.maxResponseBodyBytes],
    ...settings.routes.map(({ methods, host, path }) => [
      'route',
      `${methods?.join(',') ?? '*'} ${host ?? '*'} ${path}`,
    ]),
    ...Object.entries(settings.env).map(([name, value]) => [`env.${name}`, escape(value)]),
  ];
  const text = Buffer.from(lines.map(([key, value]) => `${key}=${value}\n`).join(''));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text]);
}

/** A value is one line. */
function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

const PAGE_BYTES = 65_536;
const MAX_BYTES = 2 ** 30;
/** Buffers that there is one of, code's constants, and requests of usual size in parts. */
const BASE_BYTES = 6 * 2 ** 20;
/** A connection with its subscription and its event. */
const CONNECTION_BYTES = 512;
/** Requests that arrive in parts and answers that wait, of the largest size, at the same time; more are told to come back. */
const LARGEST_AT_ONCE = 4;

/**
 * How much memory the server lays out for itself at start: address space, of which only what is used is touched. A
 * multiple of 64 KiB.
 */
export function arenaBytes({ http, limits }: PodSettings): number {
  const heads = http.maxHeadBytes * 2 + http.maxHeaders * 64;
  const bodies =
    power(limits.maxRequestBodyBytes + http.maxHeadBytes) + power(limits.maxResponseBodyBytes + 65_536);
  const bytes = BASE_BYTES + heads + http.maxConnections * CONNECTION_BYTES + LARGEST_AT_ONCE * bodies;
  return Math.ceil(Math.min(bytes, MAX_BYTES) / PAGE_BYTES) * PAGE_BYTES;
}

/** Blocks have sizes of powers of two. */
function power(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(bytes, 1)));
}
