/** Where the platform listens, and how this machine reaches it there. */
import type { Resolved } from '../config/resolve.ts';
import { requireFreePort } from '../control/ports.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

/** Throws MayflyError that names the key of the first port that is taken, before anything is started. */
export async function requireFreePorts({ listen, tls, admin, metrics }: Resolved): Promise<void> {
  if (listen !== null) await requireFreePort(listen.host, listen.port, 'server.port');
  if (tls !== null) await requireFreePort(tls.host, tls.port, 'server.tls.port');
  await requireFreePort(admin.host, admin.port, 'admin.port');
  if (metrics !== null) await requireFreePort(metrics.host, metrics.port, 'monitoring.metrics_port');
}

/** What was asked for, with the ports that were given out. At least one of both is there. */
export function gatewayAddresses(
  { listen, tls }: Pick<Resolved, 'listen' | 'tls'>,
  ports: { readonly port: number | null; readonly tlsPort: number | null },
): { readonly gateway: Address; readonly tls: Address | null } {
  const plain =
    listen === null ? null : { host: localHost(listen.host), port: ports.port ?? 0, secure: false };
  const secure = tls === null ? null : { host: localHost(tls.host), port: ports.tlsPort ?? 0, secure: true };
  const gateway = plain ?? secure;
  if (gateway === null) throw new Error('The configuration names no address to listen on');
  return { gateway, tls: secure };
}

export function urlOf({ host, port, secure }: Address): string {
  return `${secure ? 'https' : 'http'}://${host}:${port}`;
}

/** Where this machine reaches an address that may be every address. */
export function localHost(host: string): string {
  return host === '0.0.0.0' || host === '::' || host === '' ? '127.0.0.1' : host;
}
