import type { Materials, Peer } from './peer.ts';
export async function wasmtimePeers(_materials: Materials): Promise<Peer[]> {
  return [];
}
