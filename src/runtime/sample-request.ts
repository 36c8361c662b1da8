import { METHODS } from '../model/method.ts';
import { type RequestParts, requestFrameLength, writeRequestFrame } from './abi/request-frame.ts';
import type { RequestSource } from './guest.ts';

const NONE = Buffer.alloc(0);
const NO_ENTRIES = new Int32Array(0);

/** A request that nobody sent: no headers, no user. */
export function sampleRequest(method: 'GET' | 'POST', path: string, body: string): RequestSource {
  const head = Buffer.from(path);
  const content = Buffer.from(body);
  const parts: RequestParts = {
    method: METHODS.indexOf(method),
    head,
    headStart: 0,
    headEnd: head.length,
    pathStart: 0,
    pathEnd: head.length,
    queryStart: head.length,
    queryEnd: head.length,
    headers: NO_ENTRIES,
    headerCount: 0,
    skipped: NO_ENTRIES,
    skippedCount: 0,
    extra: NONE,
    extraEnd: 0,
    extraHeaders: NO_ENTRIES,
    extraCount: 0,
    user: NONE,
    body: content,
    bodyStart: 0,
    bodyEnd: content.length,
  };
  return {
    frameLength: () => requestFrameLength(parts),
    writeFrame: (target, at) => writeRequestFrame(parts, target, at),
  };
}
