/** A pod's server in V8, around a function that answers everything with an empty 200. */
import type { PodSettings } from '../../../src/pods/settings.ts';
import { limits, MAX_BODY } from '../../fuzz/http-subject.ts';
import { frameText, type HttpObservation, withoutNames } from './http-observation.ts';
import { Over, type Peer, VirtualHost } from './virtual-host.ts';

const EMPTY_200 = Buffer.from([1, 0, 200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

export const podSettings: PodSettings = {
  name: 'under-test',
  host: '127.0.0.1',
  port: 8080,
  logLevel: 'info',
  http: limits,
  limits: {
    requestTimeoutMs: 30_000,
    cpuBudgetMs: 3000,
    maxRequestBodyBytes: MAX_BODY,
    maxResponseBodyBytes: 1_000_000,
  },
  env: {},
  routes: [{ host: null, path: '/*', methods: null }],
};

/** A stream of bytes and where it is cut, as ascending offsets. */
export interface Stream {
  readonly bytes: Buffer;
  readonly cuts: readonly number[];
}

/**
 * Feeds the streams to one server, each over a connection of its own, and tells `observed` what came of each. The loop
 * of the server drives it: the next piece is given whenever the server waits.
 */
export function observePod(
  module: WebAssembly.Module,
  streams: Iterable<Stream>,
  observed: (stream: Stream, observation: HttpObservation) => void,
): void {
  let requests: string[] = [];
  const handle = (frame: Buffer): Buffer => {
    requests.push(frameText(frame));
    return EMPTY_200;
  };
  const host = new VirtualHost(module, podSettings, { handle });
  const source = streams[Symbol.iterator]();
  let peer: Peer | null = null;
  let stream: Stream | null = null;
  let pieces: Buffer[] = [];

  const finish = (): void => {
    if (peer === null || stream === null) return;
    const answers = withoutNames(Buffer.concat(peer.sent).toString('latin1'));
    observed(stream, { requests, answers, closed: peer.shutdown || peer.closed });
    peer.incoming.push(null);
    requests = [];
    host.peers.delete(peer.closed ? peer.fd : -1);
    peer = null;
  };

  host.run(() => {
    if (peer !== null) {
      const piece = pieces.shift();
      if (piece !== undefined && !peer.closed) {
        peer.incoming.push(piece);
        return;
      }
      finish();
      return;
    }
    const next = source.next();
    if (next.done === true) throw new Over();
    stream = next.value;
    pieces = piecesOf(stream);
    peer = host.connect();
  });
}

function piecesOf({ bytes, cuts }: Stream): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    if (end > start) pieces.push(bytes.subarray(start, end));
    start = end;
  }
  return pieces;
}
