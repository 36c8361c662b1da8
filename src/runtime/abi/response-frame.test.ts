import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ResponseReader } from './response-frame.ts';

const LIMITS = { maxBodyBytes: 1000, maxHeaders: 10, maxHeaderBytes: 2000 };

interface Frame {
  version?: number;
  status?: number;
  headers?: readonly (readonly [string, string])[];
  body?: string;
  count?: number;
  headersLength?: number;
  bodyLength?: number;
  reserved?: number;
}

function encode(frame: Frame): Buffer {
  const { headers = [], body = '' } = frame;
  const block = Buffer.concat(
    headers.map(([name, value]) => {
      const entry = Buffer.from(`....${name}${value}`, 'latin1');
      entry.writeUInt16LE(name.length, 0);
      entry.writeUInt16LE(value.length, 2);
      return entry;
    }),
  );
  const head = Buffer.alloc(16);
  head.writeUInt8(frame.version ?? 1, 0);
  head.writeUInt8(frame.reserved ?? 0, 1);
  head.writeUInt16LE(frame.status ?? 200, 2);
  head.writeUInt16LE(frame.count ?? headers.length, 4);
  head.writeUInt32LE(frame.headersLength ?? block.length, 8);
  head.writeUInt32LE(frame.bodyLength ?? body.length, 12);
  return Buffer.concat([head, block, Buffer.from(body, 'latin1')]);
}

/** The frame in the middle of a guest's memory. */
function read(frame: Buffer, reader = new ResponseReader(LIMITS)) {
  const memory = Buffer.concat([Buffer.alloc(100, 0x41), frame, Buffer.alloc(100, 0x0a)]);
  const refusal = reader.read(memory, 100, frame.length);
  return {
    refusal,
    status: reader.status,
    lines: reader.headers.toString('latin1'),
    body: memory.toString('latin1', reader.bodyStart, reader.bodyEnd),
  };
}

test('A response is read and its headers become lines', () => {
  const frame = encode({
    status: 201,
    headers: [
      ['Content-Type', 'text/plain'],
      ['x-empty', ''],
    ],
    body: 'hello',
  });
  assert.deepEqual(read(frame), {
    refusal: null,
    status: 201,
    lines: 'Content-Type: text/plain\r\nx-empty: \r\n',
    body: 'hello',
  });
});

test('What the gateway writes itself is left out', () => {
  const headers = [
    'Content-Length',
    'connection',
    'Transfer-Encoding',
    'DATE',
    'Keep-Alive',
    'Upgrade',
    'trailer',
    'te',
  ];
  const frame = encode({ headers: [...headers.map((name) => [name, '5'] as const), ['x-kept', '1']] });
  assert.equal(read(frame).lines, 'x-kept: 1\r\n');
});

test('A response without content has no body on the wire, whatever the function wrote', () => {
  for (const status of [204, 205, 304]) assert.equal(read(encode({ status, body: 'HTTP/1.1 200' })).body, '');
});

const refused: readonly (readonly [string, Frame, string])[] = [
  ['another version', { version: 2 }, 'wrong-version'],
  ['status 0', { status: 0 }, 'wrong-status'],
  ['an interim status', { status: 100 }, 'wrong-status'],
  ['a status beyond 599', { status: 600 }, 'wrong-status'],
  ['a reserved byte', { reserved: 1 }, 'reserved-not-zero'],
  ['a body longer than the frame', { body: 'x', bodyLength: 2 }, 'wrong-length'],
  ['a body shorter than the frame', { body: 'xx', bodyLength: 1 }, 'wrong-length'],
  ['lengths that overflow 32 bits', { headersLength: 0xfffffff0, bodyLength: 16 }, 'wrong-length'],
  ['a body beyond the limit', { body: 'x'.repeat(1001) }, 'too-large'],
  ['a body that only says it is beyond the limit', { bodyLength: 0xffffffff }, 'too-large'],
  ['more headers than the block holds', { headers: [['a', 'b']], count: 2 }, 'malformed-headers'],
  [
    'fewer headers than the block holds',
    {
      headers: [
        ['a', 'b'],
        ['c', 'd'],
      ],
      count: 1,
    },
    'malformed-headers',
  ],
  [
    'too many headers',
    { headers: Array.from({ length: 11 }, () => ['a', 'b'] as const) },
    'malformed-headers',
  ],
  ['too large headers', { headers: [['a', 'b'.repeat(2000)]] }, 'malformed-headers'],
  ['a header without a name', { headers: [['', 'b']] }, 'malformed-headers'],
  ['a name with a colon', { headers: [['a:', 'b']] }, 'unsafe-header'],
  ['a name with a space', { headers: [['a b', 'c']] }, 'unsafe-header'],
  ['a name beyond ASCII', { headers: [['\u00e4', 'c']] }, 'unsafe-header'],
  ['a value that begins a line', { headers: [['a', 'b\r\nset-cookie: x']] }, 'unsafe-header'],
  ['a value with LF', { headers: [['a', 'b\nc']] }, 'unsafe-header'],
  ['a value with NUL', { headers: [['a', 'b\0']] }, 'unsafe-header'],
  ['a value with DEL', { headers: [['a', '\x7f']] }, 'unsafe-header'],
];
for (const [what, frame, refusal] of refused) {
  test(`Refused: ${what}`, () => assert.equal(read(encode(frame)).refusal, refusal));
}

test('Refused: a header entry that reaches into the body or beyond the frame', () => {
  const frame = encode({ headers: [['a', 'bc']], body: 'body' });
  for (const length of [3, 7, 0xffff]) {
    frame.writeUInt16LE(length, 18);
    assert.equal(read(frame).refusal, 'malformed-headers');
  }
});

test('Refused: frames outside the memory', () => {
  const memory = Buffer.alloc(65536);
  const places = [
    [65536, 16],
    [65530, 16],
    [0, 65537],
    [0xffffffff, 0xffffffff],
    [0xffffffff, 1],
    [-16, 16],
    [16, -16],
  ];
  for (const [at, length] of places as [number, number][]) {
    assert.equal(new ResponseReader(LIMITS).read(memory, at, length), 'outside-memory');
  }
  assert.equal(new ResponseReader(LIMITS).read(memory, 65536, 0), 'wrong-length');
  assert.equal(new ResponseReader(LIMITS).read(memory, 65521, 15), 'wrong-length');
});

test('The same header block is rendered once; another one anew', () => {
  const reader = new ResponseReader(LIMITS);
  read(encode({ headers: [['a', '1']], body: 'x' }), reader);
  const first = reader.headers;
  assert.equal(read(encode({ headers: [['a', '1']], body: 'other' }), reader).refusal, null);
  assert.equal(reader.headers, first);
  assert.equal(read(encode({ headers: [['a', '2']] }), reader).lines, 'a: 2\r\n');
  assert.equal(read(encode({}), reader).lines, '');
  assert.equal(read(encode({ headers: [['a', '1']] }), reader).lines, 'a: 1\r\n');
});

test('A refused block is refused again, and is not mistaken for the one before it', () => {
  const reader = new ResponseReader(LIMITS);
  const bad = encode({ headers: [['a', '\n']] });
  read(encode({ headers: [['a', '1']] }), reader);
  assert.equal(read(bad, reader).refusal, 'unsafe-header');
  assert.equal(read(bad, reader).refusal, 'unsafe-header');
  assert.equal(read(encode({ headers: [['a', '1']], count: 2 }), reader).refusal, 'malformed-headers');
  assert.equal(read(encode({ headers: [['a', '1']] }), reader).lines, 'a: 1\r\n');
});

const token = fc
  .stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/)
  .filter((name) => !/^(date|te|trailer|upgrade)$/i.test(name));
const value = fc.string({
  unit: fc.constantFrom('a', ' ', '\t', '~', '\u0080', '\u00ff', ';', '='),
  maxLength: 40,
});

test('Whatever a well-behaved function answers is what the client gets', () => {
  const reader = new ResponseReader(LIMITS);
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 599 }).filter((status) => ![204, 205, 304].includes(status)),
      fc.array(fc.tuple(token, value), { maxLength: 10 }),
      fc.string({ unit: 'binary-ascii', maxLength: 500 }),
      (status, headers, body) => {
        const lines = headers.map(([name, text]) => `${name}: ${text}\r\n`).join('');
        assert.deepEqual(read(encode({ status, headers, body }), reader), {
          refusal: null,
          status,
          lines,
          body,
        });
      },
    ),
  );
});

/** A valid frame with some bytes replaced, or no frame at all. */
const hostile = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(
      fc.array(fc.tuple(token, value), { maxLength: 4 }),
      fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 }),
      fc.nat(20),
    )
    .map(([headers, changes, cut]) => {
      const frame = encode({ headers, body: 'some body' });
      for (const [at, byte] of changes) if (at < frame.length) frame[at] = byte;
      return frame.subarray(0, frame.length - Math.min(cut > 10 ? 0 : cut, frame.length));
    }),
);

test('Fuzz: a hostile frame is refused or safe, and what lies around it makes no difference', () => {
  const line = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*\r\n)*$/;
  fc.assert(
    fc.property(hostile, fc.nat(255), (frame, around) => {
      const seen = [0x00, around].map((fill) => {
        const memory = Buffer.concat([Buffer.alloc(64, fill), frame, Buffer.alloc(70000, fill)]);
        const reader = new ResponseReader(LIMITS);
        const refusal = reader.read(memory, 64, frame.length);
        if (refusal === null) {
          assert.match(reader.headers.toString('latin1'), line);
          assert.ok(reader.status >= 200 && reader.status <= 599);
          assert.ok(reader.bodyStart >= 64 + 16 && reader.bodyEnd <= 64 + frame.length);
          assert.ok(reader.bodyStart <= reader.bodyEnd);
        }
        return {
          refusal,
          headers: reader.headers.toString('latin1'),
          body: [reader.bodyStart, reader.bodyEnd],
        };
      });
      assert.deepEqual(seen[0], seen[1]);
    }),
    { numRuns: 5000 },
  );
});
