import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { requestParts } from '../../../test/support/guest.ts';
import { requestFrameLength, type RequestParts, writeRequestFrame } from './request-frame.ts';

interface Decoded {
  readonly version: number;
  readonly method: number;
  readonly path: string;
  readonly query: string;
  readonly user: string;
  readonly body: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly textLength: number;
}

/** Reads a frame as docs/reference/guest-abi.md describes it, independently of the writer. */
function decode(frame: Buffer): Decoded {
  const at = (offset: number): string => {
    const start = frame.readUInt32LE(offset);
    const length = frame.readUInt32LE(offset + 4);
    assert.ok(start + length <= frame.length, 'a range reaches beyond the frame');
    return frame.toString('latin1', start, start + length);
  };
  const headers: [string, string][] = [];
  for (let i = 0; i < frame.readUInt16LE(2); i++) headers.push([at(40 + i * 16), at(40 + i * 16 + 8)]);
  return {
    version: frame.readUInt8(0),
    method: frame.readUInt8(1),
    path: at(4),
    query: at(12),
    user: at(20),
    body: at(28),
    headers,
    textLength: frame.readUInt32LE(36),
  };
}

/** Writes the frame into the middle of a larger memory and checks that nothing around it was touched. */
function write(parts: RequestParts, at = 16): Buffer {
  const length = requestFrameLength(parts);
  const memory = Buffer.alloc(at + length + 64, 0xee);
  writeRequestFrame(parts, memory, at);
  assert.ok(memory.subarray(0, at).every((byte) => byte === 0xee));
  assert.ok(memory.subarray(at + length).every((byte) => byte === 0xee));
  return memory.subarray(at, at + length);
}

test('A guest finds method, path, query, headers, user and body in the frame', () => {
  const parts = requestParts({
    method: 'POST',
    target: '/api/function?debug=1',
    headers: [
      ['Host', 'shop.example'],
      ['Content-Type', 'application/json'],
    ],
    user: { sub: 'u1' },
    body: '{"sku":"lamp"}',
  });
  assert.deepEqual(decode(write(parts)), {
    version: 1,
    method: 2,
    path: '/api/function',
    query: 'debug=1',
    user: '{"sub":"u1"}',
    body: '{"sku":"lamp"}',
    headers: [
      ['Host', 'shop.example'],
      ['Content-Type', 'application/json'],
    ],
    textLength: parts.head.length,
  });
});

test('Headers that are skipped are not in the table, and those of the gateway are', () => {
  const parts = requestParts({
    headers: [
      ['Connection', 'x'],
      ['A', '1'],
      ['Upgrade', 'h2c'],
      ['B', '2'],
    ],
  });
  parts.skipped = Int32Array.of(0, 2, 99);
  parts.skippedCount = 2;
  parts.extra = Buffer.from('x-request-idabc');
  parts.extraEnd = parts.extra.length;
  parts.extraHeaders = Int32Array.of(0, 12, 12, 15);
  parts.extraCount = 1;
  assert.deepEqual(decode(write(parts)).headers, [
    ['A', '1'],
    ['B', '2'],
    ['x-request-id', 'abc'],
  ]);
});

test('A body right behind its head is found as well', () => {
  const parts = requestParts({ target: '/p', headers: [['A', '1']], user: { sub: 'u' }, body: 'payload' });
  const head = Buffer.concat([parts.head, parts.body]);
  const together = { ...parts, head, body: head, bodyStart: parts.head.length, bodyEnd: head.length };
  assert.deepEqual(write(together), write(parts));
});

test('Head and body may lie anywhere in their buffers', () => {
  const parts = requestParts({ target: '/p?q', headers: [['A', '1']], body: 'payload' });
  const before = 1000;
  const moved = Buffer.concat([Buffer.alloc(before, 0x78), parts.head, Buffer.from('xx'), parts.body]);
  const whole: RequestParts = {
    ...parts,
    head: moved,
    headStart: before,
    headEnd: before + parts.head.length,
    pathStart: parts.pathStart + before,
    pathEnd: parts.pathEnd + before,
    queryStart: parts.queryStart + before,
    queryEnd: parts.queryEnd + before,
    headers: parts.headers.map((at) => at + before),
    body: moved,
    bodyStart: before + parts.head.length + 2,
    bodyEnd: moved.length,
  };
  assert.deepEqual(decode(write(whole)), decode(write(parts)));
});

test('More headers than most requests have: the table grows', () => {
  const headers = Array.from({ length: 700 }, (_, i) => [`x-${i}`, String(i * i)] as const);
  assert.deepEqual(decode(write(requestParts({ headers }))).headers, headers);
});

test('More headers than the frame can count are a mistake of the caller', () => {
  const parts = requestParts({});
  parts.headerCount = 65536;
  assert.throws(() => requestFrameLength(parts), RangeError);
});

test('Whatever the request, the frame says the same', () => {
  const word = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
  fc.assert(
    fc.property(
      fc.record({
        method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'),
        path: word,
        query: fc.option(word, { nil: undefined }),
        headers: fc.array(fc.tuple(word, fc.stringMatching(/^[ -~]{0,60}$/)), { maxLength: 40 }),
        skip: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
        user: fc.option(fc.dictionary(word, word), { nil: undefined }),
        body: fc.string({ unit: fc.constantFrom('a', '"', '\n', '\u00ff'), maxLength: 300 }),
        at: fc.nat(64),
      }),
      ({ method, path, query, headers, skip, user, body, at }) => {
        const target = `/${path}${query === undefined ? '' : `?${query}`}`;
        const parts = requestParts({
          method: method as 'GET',
          target,
          headers,
          user,
          body: Buffer.from(body, 'latin1'),
        });
        const skipped = headers.flatMap((_, i) => (skip[i] ? [i] : []));
        parts.skipped = Int32Array.from(skipped);
        parts.skippedCount = skipped.length;
        const decoded = decode(write(parts, at));
        assert.equal(decoded.path, `/${path}`);
        assert.equal(decoded.query, query ?? '');
        assert.equal(decoded.user, user === undefined ? '' : JSON.stringify(user));
        assert.equal(decoded.body, body);
        assert.deepEqual(
          decoded.headers,
          headers.filter((_, i) => !skip[i]),
        );
      },
    ),
  );
});
