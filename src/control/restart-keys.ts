import type { Resolved } from '../config/resolve.ts';

/** What is bound or allocated once at start, by the key that people know. */
const fixedAtStart: Readonly<Record<string, (config: Resolved) => unknown>> = {
  'server.host': ({ listen, tls }) => (listen ?? tls)?.host,
  'server.port': ({ listen, tls }) => (listen ?? tls)?.port,
  'server.tls': ({ tls }) => tls,
  'server.threads': ({ threads }) => threads,
  'server.drain_delay': ({ drainDelayMs }) => drainDelayMs,
  fleet: ({ fleet }) => fleet,
  'monitoring.metrics_port': ({ metrics }) => metrics?.port,
  'monitoring.host': ({ metrics }) => metrics?.host,
  'monitoring.enabled': ({ metrics }) => metrics !== null,
  'monitoring.health_check_interval': ({ healthCheckIntervalMs }) => healthCheckIntervalMs,
  'demand.report_to': ({ demandUrl }) => demandUrl,
  'demand.token_file': ({ demandTokenFile }) => demandTokenFile,
  'admin.port': ({ admin }) => admin.port,
  'admin.host': ({ admin }) => admin.host,
  'admin.token_file': ({ admin }) => admin.tokenFile,
  'state.directory': ({ stateDirectory }) => stateDirectory,
  logging: ({ logging }) => logging,
};

/** Keys whose new value will act only after a restart. */
export function restartKeys(running: Resolved, wanted: Resolved): readonly string[] {
  return Object.entries(fixedAtStart)
    .filter(([, read]) => JSON.stringify(read(running)) !== JSON.stringify(read(wanted)))
    .map(([key]) => key);
}
