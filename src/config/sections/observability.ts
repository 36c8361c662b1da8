import { z } from 'zod';
import { choice, duration, flag, integer, path, text } from '../scalars.ts';

export const logging = z.strictObject({
  level: choice(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least important line that is written. The environment variable LOG_LEVEL overrides it.'),
  format: choice(['json', 'text'])
    .default('json')
    .describe('`json`: one object per line for machines; `text`: for people.'),
  output: path('stdout, stderr, or the path of a file')
    .default('stdout')
    .describe('Where lines go: `stdout`, `stderr`, or a file (appended to; opened again on SIGHUP).'),
  requests: flag().prefault(false).describe('Write one line for each request (access log).'),
});

export const monitoring = z.strictObject({
  enabled: flag().prefault(true).describe('Serve /metrics in the Prometheus text format.'),
  metrics_port: integer(0, 65_535).prefault(9090).describe('Port of /metrics; 0 takes a free one.'),
  host: text('an address or host name of this machine')
    .optional()
    .describe('Address of /metrics. Default: that of server.host.'),
  health_check_interval: duration(100, 3_600_000)
    .prefault('10s')
    .describe(
      'How often each data-plane thread is asked whether it still answers; one that does not is replaced.',
    ),
});
