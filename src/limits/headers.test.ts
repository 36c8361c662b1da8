import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RateLimitHeaders, retryAfterSeconds } from './headers.ts';
import { MAX_BURST, MAX_RATE, RateLimit } from './limit.ts';

function headersFor(name: string, rate: number, burst: number, windowMs: number): RateLimitHeaders {
  return new RateLimitHeaders(
    new RateLimit({ name, requestsPerSecond: rate, burst, windowMs, key: [{ by: 'user' }] }),
  );
}

function render(write: (target: Buffer) => number, room: number): string {
  const target = Buffer.alloc(room + 8, 0xaa);
  const end = write(target);
  assert.ok(end <= room, `${end} bytes written, ${room} promised`);
  return target.toString('latin1', 0, end);
}

test('an accepted request says what is left and the window it is for', () => {
  const headers = headersFor('default', 100, 200, 60_000);
  assert.equal(
    render((target) => headers.writeAccepted(target, 0, 199, 10), headers.maxBytes),
    'RateLimit-Policy: "default";q=6200;w=60\r\nRateLimit: "default";r=199;t=1\r\n',
  );
});

test('a refused request says when to come back, not earlier than the window ends', () => {
  const headers = headersFor('default', 0.25, 2, 60_000);
  assert.equal(
    render((target) => headers.writeRefused(target, 0, 3000.5), headers.maxBytes),
    'RateLimit-Policy: "default";q=17;w=60\r\nRateLimit: "default";r=0;t=4\r\nRetry-After: 4\r\n',
  );
});

test('names are escaped as structured strings and refused when they cannot be', () => {
  const headers = headersFor('a"b\\c', 1, 1, 1000);
  const text = render((target) => headers.writeAccepted(target, 0, 0, 1), headers.maxBytes);
  assert.ok(text.startsWith('RateLimit-Policy: "a\\"b\\\\c";q=2;w=1\r\n'));
  assert.throws(() => headersFor('line\r\nbreak', 1, 1, 1000));
  assert.throws(() => headersFor('ü', 1, 1, 1000));
});

test('any numbers fit into the room asked for, and read back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: MAX_BURST }),
      fc.double({ min: 0, max: 1e11, noNaN: true }),
      fc.nat(30),
      (remaining, retryAfterMs, offset) => {
        const headers = headersFor('default', MAX_RATE, MAX_BURST, 3_600_000);
        const target = Buffer.alloc(offset + headers.maxBytes);
        const accepted = target.toString(
          'latin1',
          offset,
          headers.writeAccepted(target, offset, remaining, retryAfterMs),
        );
        assert.match(accepted, new RegExp(`;r=${remaining};t=${Math.ceil(retryAfterMs / 1000)}\r\n$`));
        const refused = target.toString('latin1', offset, headers.writeRefused(target, offset, retryAfterMs));
        const seconds = retryAfterSeconds(retryAfterMs);
        assert.ok(refused.endsWith(`;r=0;t=${seconds}\r\nRetry-After: ${seconds}\r\n`));
      },
    ),
  );
});

test('limits that cannot be kept are refused with the key that is wrong', () => {
  const spec = { name: 'default', requestsPerSecond: 100, burst: 200, windowMs: 60_000, key: [] };
  assert.throws(() => new RateLimit({ ...spec, requestsPerSecond: 0 }), /requests_per_second/);
  assert.throws(() => new RateLimit({ ...spec, requestsPerSecond: Number.NaN }), /requests_per_second/);
  assert.throws(() => new RateLimit({ ...spec, burst: 1.5 }), /burst_size/);
  assert.throws(() => new RateLimit({ ...spec, burst: 0 }), /burst_size/);
  assert.throws(() => new RateLimit({ ...spec, windowMs: 10 }), /window_size/);
});
