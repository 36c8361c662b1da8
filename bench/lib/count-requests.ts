/**
 * Preloaded into the operator (`--import`): counts its requests to one API server, whoever makes them, and tells the
 * counts when its parent asks. Node's and npm's undici both publish every request under this name.
 */
import { subscribe } from 'node:diagnostics_channel';

export interface RequestCounts {
  /** GET of an object, or a page of a list. */
  readonly reads: number;
  /** A watch opened: it stays so for minutes. */
  readonly watches: number;
  readonly writes: number;
  /** Of either kind, for the lease by which one of several operators leads. */
  readonly lease: number;
}

interface UndiciRequest {
  readonly request: { readonly origin: string | URL; readonly method: string; readonly path: string };
}

const server = new URL(process.env['MAYFLY_BENCH_API_SERVER'] ?? 'none:').origin;
const counts = { reads: 0, watches: 0, writes: 0, lease: 0 };

subscribe('undici:request:create', (message) => {
  const { origin, method, path } = (message as UndiciRequest).request;
  if (new URL(origin).origin !== server) return;
  counts[kindOf(method, path)]++;
});
process.on('message', () => process.send?.(counts));
// To be asked is no reason to live on.
process.channel?.unref();

function kindOf(method: string, path: string): keyof RequestCounts {
  if (path.includes('/leases')) return 'lease';
  if (method !== 'GET') return 'writes';
  return path.includes('watch=true') ? 'watches' : 'reads';
}
