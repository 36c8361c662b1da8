import { z } from 'zod';
import { duration, integer, path, quantity, text } from '../scalars.ts';

const port = () => integer(0, 65_535);

/** The front: where requests come in, and what a client may send before any function is looked at. */
export const server = z.strictObject({
  port: port()
    .prefault(8080)
    .describe('Port of the gateway; 0 takes a free one. The environment variable PORT overrides it.'),
  host: text('an address or host name of this machine').prefault('0.0.0.0').describe('Address to listen on.'),
  timeout: duration(100, 86_400_000)
    .prefault('30s')
    .describe(
      'How long a client may take: for a whole request head, for each pause within a body, and idle between two requests. Beyond it the connection is closed (408 when a request had begun).',
    ),
  max_connections: integer(1, 1_000_000)
    .prefault(10_000)
    .describe('Connections open at once, over all threads; one more gets 503 and is closed.'),
  max_header_size: quantity(1024, 1024 * 1024)
    .prefault('16Ki')
    .describe(
      'Request line and header fields together; larger ones get 431. The request target alone may take half of it (414).',
    ),
  max_headers: integer(1, 1000).prefault(100).describe('Header fields in one request; more get 431.'),
  threads: integer(1, 256)
    .optional()
    .describe('Data-plane threads that answer requests. Default: one for each CPU core.'),
  drain_delay: duration(0, 3_600_000)
    .prefault('0s')
    .describe(
      'How long a server that was asked to end (SIGTERM) goes on taking requests, with `/ready` at 503 and `connection: close` on every answer, before it stops listening. Behind a load balancer: longer than it takes to notice.',
    ),
  tls: z
    .strictObject({
      certificate: path('a PEM file, relative to the configuration file').describe(
        'PEM file with the certificate and its chain.',
      ),
      key: path('a PEM file, relative to the configuration file').describe('PEM file with the private key.'),
      port: port()
        .optional()
        .describe(
          'Port for TLS beside the plain one. Default: TLS is spoken on server.port and nothing is plain.',
        ),
    })
    .optional()
    .describe('Serve HTTPS (HTTP/1.1 and HTTP/2) with this certificate. Default: plain HTTP.'),
});

export const admin = z.strictObject({
  port: port()
    .prefault(9091)
    .describe('Port of the admin API, which deploys, lists, rolls back and removes functions.'),
  host: text('an address or host name of this machine')
    .prefault('127.0.0.1')
    .describe('Address of the admin API; by default only this machine reaches it.'),
  token_file: path()
    .prefault('.mayfly/admin-token')
    .describe('File with the bearer token of the admin API; written on first start when it does not exist.'),
});

export const state = z.strictObject({
  directory: path('a folder, relative to the configuration file')
    .prefault('.mayfly')
    .describe('Folder for the database and the artifacts of what was deployed.'),
});
