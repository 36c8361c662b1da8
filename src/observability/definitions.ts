/**
 * Every metric there is: what `/metrics` renders and what `docs/reference/metrics.md` lists. Names follow the conventions
 * of Prometheus: base units, counters end in `_total` (OpenMetrics adds it to the samples, not to the family).
 */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'info';

export interface MetricFamily {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly labels: readonly string[];
}

function family(type: MetricType, name: string, labels: readonly string[], help: string): MetricFamily {
  return { name, type, help, labels };
}

export const families = {
  requests: family('counter', 'mayfly_requests', ['function', 'code'], 'Requests answered, by HTTP status.'),
  requestDuration: family(
    'histogram',
    'mayfly_request_duration_seconds',
    ['function'],
    'Time from the complete request to the written response.',
  ),
  requestBytes: family('counter', 'mayfly_request_body_bytes', ['function'], 'Bytes of request bodies.'),
  responseBytes: family('counter', 'mayfly_response_body_bytes', ['function'], 'Bytes of response bodies.'),
  stageDuration: family(
    'histogram',
    'mayfly_stage_duration_seconds',
    ['stage'],
    'Time per stage of the request, over all functions; one request in 16 is measured.',
  ),
  coldStart: family(
    'histogram',
    'mayfly_cold_start_seconds',
    ['function'],
    'Time to make a new instance when a request found none.',
  ),
  restores: family('counter', 'mayfly_restores', ['function'], 'Instances put back into their first state.'),
  restoredPages: family(
    'counter',
    'mayfly_restored_pages',
    ['function'],
    'Memory pages copied back by restores.',
  ),
  restoredBytes: family('counter', 'mayfly_restored_bytes', ['function'], 'Bytes copied back by restores.'),
  discards: family(
    'counter',
    'mayfly_instances_discarded',
    ['function'],
    'Instances thrown away because a restore could not be proven complete.',
  ),
  traps: family('counter', 'mayfly_traps', ['function', 'cause'], 'Failed function runs, by cause.'),
  cpu: family('counter', 'mayfly_function_cpu_seconds', ['function'], 'CPU time used by functions.'),
  rateLimited: family(
    'counter',
    'mayfly_rate_limited',
    ['function'],
    'Requests refused by a rate limit (429).',
  ),
  denied: family('counter', 'mayfly_denied', ['function'], 'Requests refused by policy (403).'),
  unauthenticated: family(
    'counter',
    'mayfly_unauthenticated',
    ['function'],
    'Requests refused for lack of a valid token (401).',
  ),
  queueWait: family(
    'histogram',
    'mayfly_queue_wait_seconds',
    ['function'],
    'Time that requests waited for a place before they ran.',
  ),
  queueDropped: family(
    'counter',
    'mayfly_queue_dropped',
    ['function', 'reason'],
    'Requests that got no place: the queue was full, they waited too long, the client went away, or the thread had more to do than it carries.',
  ),
  offloaded: family(
    'counter',
    'mayfly_lane_requests',
    ['function'],
    'Requests run in a lane because the function is slow.',
  ),
  revisionRequests: family(
    'counter',
    'mayfly_revision_requests',
    ['function', 'revision', 'digest'],
    'Requests that a revision was run for. `digest` is that of its image, or of its module where it came from none.',
  ),
  revisionErrors: family(
    'counter',
    'mayfly_revision_errors',
    ['function', 'revision', 'digest'],
    'Those of them that failed by its own doing: it trapped, ran out of time or memory, or answered with 5xx.',
  ),
  revisionSlow: family(
    'counter',
    'mayfly_revision_slow_requests',
    ['function', 'revision', 'digest'],
    'Those of them that took longer than `max_p99` of its rollout or canary.',
  ),
  rolloutWeight: family(
    'gauge',
    'mayfly_rollout_weight',
    ['function', 'revision'],
    'Percent of the requests that a revision gets while it is rolled out.',
  ),
  rollbacks: family(
    'counter',
    'mayfly_rollbacks',
    ['function'],
    'Rollouts that went back by themselves, since the process started.',
  ),
  held: family(
    'counter',
    'mayfly_upstream_held',
    ['function'],
    'Requests that waited for an upstream to be reachable.',
  ),
  upstreamFailures: family(
    'counter',
    'mayfly_upstream_failures',
    ['function', 'cause'],
    'Requests that an upstream did not answer, by cause.',
  ),
  inFlight: family('gauge', 'mayfly_requests_in_flight', ['function'], 'Requests that hold a place now.'),
  waiting: family('gauge', 'mayfly_requests_waiting', ['function'], 'Requests in the queue now.'),
  instances: family('gauge', 'mayfly_instances', [], 'Live instances.'),
  connectionsOpen: family('gauge', 'mayfly_connections', [], 'Open client connections.'),
  connectionsAccepted: family('counter', 'mayfly_connections_accepted', [], 'Client connections accepted.'),
  connectionsRefused: family(
    'counter',
    'mayfly_connections_refused',
    [],
    'Client connections closed at once because of max_connections.',
  ),
  rejections: family(
    'counter',
    'mayfly_http_rejections',
    ['problem'],
    'Requests refused before a function was found for them, by problem type.',
  ),
  threadRestarts: family(
    'counter',
    'mayfly_thread_restarts',
    [],
    'Data-plane threads that died and were replaced.',
  ),
  policies: family(
    'gauge',
    'mayfly_policy_mode',
    ['policy', 'mode'],
    'How each policy is decided: javascript, wasm or opa. Always 1.',
  ),
  limitKeys: family('gauge', 'mayfly_rate_limit_keys', [], 'Keys in the rate-limit table.'),
  limitCapacity: family(
    'gauge',
    'mayfly_rate_limit_keys_max',
    [],
    'Keys that fit into the rate-limit table.',
  ),
  limitOverflowed: family(
    'counter',
    'mayfly_rate_limit_overflowed',
    [],
    'Requests counted in a shared bucket because the rate-limit table was full.',
  ),
  fleetMembers: family(
    'gauge',
    'mayfly_fleet_members',
    [],
    'Gateways that share their rate limits, this one among them, as far as it knows.',
  ),
  fleetConnected: family(
    'gauge',
    'mayfly_fleet_connected',
    [],
    '1 while the store of the fleet can be reached. 0: each gateway allows its part of the rate limits.',
  ),
  fleetSent: family('counter', 'mayfly_fleet_messages_sent', [], 'Messages to the other gateways.'),
  fleetReceived: family('counter', 'mayfly_fleet_messages_received', [], 'Messages of other gateways.'),
  fleetLost: family(
    'counter',
    'mayfly_fleet_messages_lost',
    [],
    'Messages of other gateways that never came: what they tell was used without being counted here.',
  ),
  fleetSlowest: family(
    'gauge',
    'mayfly_fleet_interval_seconds',
    [],
    'Longest time between two of the last 256 messages of this gateway.',
  ),
  residentMemory: family('gauge', 'process_resident_memory_bytes', [], 'Resident memory of the process.'),
  processCpu: family('counter', 'process_cpu_seconds', [], 'CPU time of the process, user and system.'),
  startTime: family(
    'gauge',
    'process_start_time_seconds',
    [],
    'When the process started, seconds since 1970.',
  ),
  config: family(
    'info',
    'mayfly_config',
    ['hash'],
    'The configuration that all threads serve: SHA-256 of the bytes of the file, hexadecimal.',
  ),
  build: family('info', 'mayfly_build', ['version', 'node'], 'What is running.'),
} as const satisfies Record<string, MetricFamily>;

export type FamilyKey = keyof typeof families;

/** The stages of a request, in order (gateway/lifecycle.ts); the index is what the hot path writes. */
export const STAGES = [
  'parse',
  'route',
  'authenticate',
  'limit',
  'authorize',
  'admit',
  'invoke',
  'respond',
] as const;

export const stage = {
  parse: 0,
  route: 1,
  authenticate: 2,
  limit: 3,
  authorize: 4,
  admit: 5,
  invoke: 6,
  respond: 7,
} as const;

interface CounterCell {
  readonly family: FamilyKey;
  /** Value of the label that the family has beside `function`. */
  readonly label?: readonly [name: string, value: string];
}

/** Counters that exist once a function; the position of a name in this list is its cell. */
const functionCounters = {
  requestBytes: { family: 'requestBytes' },
  responseBytes: { family: 'responseBytes' },
  restores: { family: 'restores' },
  restoredPages: { family: 'restoredPages' },
  restoredBytes: { family: 'restoredBytes' },
  discards: { family: 'discards' },
  trap: { family: 'traps', label: ['cause', 'trap'] },
  trapMemory: { family: 'traps', label: ['cause', 'memory'] },
  trapStack: { family: 'traps', label: ['cause', 'stack'] },
  trapCpu: { family: 'traps', label: ['cause', 'cpu'] },
  trapResponse: { family: 'traps', label: ['cause', 'invalid-response'] },
  cpuSeconds: { family: 'cpu' },
  rateLimited: { family: 'rateLimited' },
  denied: { family: 'denied' },
  unauthenticated: { family: 'unauthenticated' },
  queueFull: { family: 'queueDropped', label: ['reason', 'full'] },
  queueTimeout: { family: 'queueDropped', label: ['reason', 'timeout'] },
  queueAborted: { family: 'queueDropped', label: ['reason', 'aborted'] },
  shed: { family: 'queueDropped', label: ['reason', 'overload'] },
  offloaded: { family: 'offloaded' },
  held: { family: 'held' },
  upstreamUnreachable: { family: 'upstreamFailures', label: ['cause', 'unreachable'] },
  upstreamHeldTooLong: { family: 'upstreamFailures', label: ['cause', 'held-too-long'] },
  upstreamNoRoom: { family: 'upstreamFailures', label: ['cause', 'no-room'] },
  upstreamBroken: { family: 'upstreamFailures', label: ['cause', 'broken'] },
  upstreamMalformed: { family: 'upstreamFailures', label: ['cause', 'malformed'] },
  upstreamTooLarge: { family: 'upstreamFailures', label: ['cause', 'too-large'] },
} as const satisfies Record<string, CounterCell>;

/** Counters that exist once a thread. */
const threadCounters = {
  connectionsAccepted: { family: 'connectionsAccepted' },
  connectionsRefused: { family: 'connectionsRefused' },
  threadRestarts: { family: 'threadRestarts' },
} as const satisfies Record<string, CounterCell>;

export const functionCounterCells: readonly CounterCell[] = Object.values(functionCounters);
export const threadCounterCells: readonly CounterCell[] = Object.values(threadCounters);

/** Cell numbers by name: `counter.denied`. */
export const functionCounter = indexed(functionCounters);
export const threadCounter = indexed(threadCounters);

function indexed<Name extends string>(
  cells: Readonly<Record<Name, unknown>>,
): Readonly<Record<Name, number>> {
  return Object.fromEntries(Object.keys(cells).map((name, index) => [name, index])) as Record<Name, number>;
}
