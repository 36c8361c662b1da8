import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MayflyError } from '../model/errors.ts';
import { chooseFormat, CONTENT_TYPES, type MetricFormat } from './open-metrics.ts';

export interface MetricsServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Makes the exposition, whole or in chunks; nothing else happens while a chunk is made. */
  render(format: MetricFormat): string | Generator<string>;
  /** True while the process should be left alive. */
  isHealthy(): boolean;
  /** What `/health` says besides. */
  about?(): Readonly<Record<string, string | null>>;
}

/** The small server on `monitoring.metrics_port`: `/metrics` for Prometheus and `/health` for probes. */
export class MetricsServer implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Throws MayflyError when the port cannot be had. */
  static async start(options: MetricsServerOptions): Promise<MetricsServer> {
    const server = createServer((request, response) => {
      const path = (request.url ?? '').split('?', 1)[0];
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.writeHead(405, { allow: 'GET, HEAD' }).end();
      } else if (path === '/metrics') {
        const format = chooseFormat(request.headers.accept);
        response.writeHead(200, { 'content-type': CONTENT_TYPES[format] });
        send(response, options.render(format)).catch((error: Error) => response.destroy(error));
      } else if (path === '/health') {
        const healthy = options.isHealthy();
        response
          .writeHead(healthy ? 200 : 503, { 'content-type': 'application/json' })
          .end(`${JSON.stringify({ status: healthy ? 'ok' : 'failing', ...options.about?.() })}\n`);
      } else {
        response.writeHead(404, { 'content-type': 'text/plain' }).end('Here are /metrics and /health.\n');
      }
    });
    await listen(server, options.host, options.port);
    return new MetricsServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeAllConnections();
    await closed;
  }
}

/** Other work of this thread gets its turn after every chunk. A client that reads slowly is waited for; one that left is not. */
async function send(response: ServerResponse, text: string | Generator<string>): Promise<void> {
  if (typeof text === 'string') return void response.end(text);
  for (const chunk of text) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await drained(response);
    await new Promise((resolve) => setImmediate(resolve));
  }
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'the port is in use' : (cause.code ?? cause.message);
      reject(
        new MayflyError(`Cannot serve metrics: ${why}`, {
          where: `${host}:${port}`,
          fix: 'Choose another monitoring.metrics_port.',
          cause,
        }),
      );
    });
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}
