import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AUTHORIZATION, CONTENT_TYPE, HOP_BY_HOP, OTHER } from './fields.ts';
import { RequestHead } from './head.ts';
import { BAD_REQUEST, HEADERS_TOO_LARGE, URI_TOO_LONG } from './rejection.ts';
import { scanHead } from './scan.ts';

const limits = { maxHeadBytes: 512, maxHeaders: 8, maxTargetBytes: 64 };

function scan(text: string, start = 0): { head: RequestHead; bytes: Buffer; result: number } {
  const bytes = Buffer.from('#'.repeat(start) + text, 'latin1');
  const head = new RequestHead();
  return { head, bytes, result: scanHead(bytes, start, bytes.length, head, limits) };
}

test('offsets of target, host, known and other fields', () => {
  const { head, bytes, result } = scan(
    'POST /a/b?c=d HTTP/1.1\r\nHost: shop:80\r\ncontent-TYPE:\ta/b \r\nX-Y: z\r\nAuthorization: Bearer t\r\nContent-Length: 2\r\n\r\nhi',
    5,
  );
  const text = (start: number, end: number): string => bytes.toString('latin1', start, end);
  const value = (row: number): string => text(head.valueStart(row), head.valueEnd(row));
  assert.equal(result, bytes.length - 2);
  assert.equal(text(head.pathStart, head.pathEnd), '/a/b');
  assert.equal(text(head.queryStart, head.queryEnd), 'c=d');
  assert.equal(text(head.targetStart, head.targetEnd), '/a/b?c=d');
  assert.equal(text(head.hostStart, head.hostEnd), 'shop:80');
  assert.equal(text(head.hostStart, head.hostNameEnd), 'shop');
  assert.equal(value(head.row(CONTENT_TYPE)), 'a/b');
  assert.equal(value(head.row(AUTHORIZATION)), 'Bearer t');
  assert.equal(head.contentLength, 2);
  assert.equal(text(head.nameStart(2), head.nameEnd(2)), 'X-Y');
  assert.equal(head.kinds[2], OTHER);
});

test('an absolute target names the host and, without a path, the path /', () => {
  const { head, bytes } = scan('GET http://other:8080?q HTTP/1.1\r\nHost: shop\r\n\r\n');
  const text = (start: number, end: number): string => bytes.toString('latin1', start, end);
  assert.equal(text(head.hostStart, head.hostNameEnd), 'other');
  assert.equal(text(head.pathStart, head.pathEnd), '/');
  assert.equal(text(head.queryStart, head.queryEnd), 'q');
});

test('fields that Connection names are for this hop, unless the gateway reads them itself', () => {
  const { head } = scan(
    'GET / HTTP/1.1\r\nHost: a\r\nX_Secret: 1\r\nX~: 2\r\nAuthorization: t\r\nConnection: x_SECRET, authorization, x^\r\nTE: trailers\r\n\r\n',
  );
  assert.deepEqual([...head.kinds.subarray(1, 4)], [HOP_BY_HOP, OTHER, AUTHORIZATION]);
  assert.equal(head.kinds[5], HOP_BY_HOP);
  assert.equal(head.keepAlive, true);
});

test('every byte at every place of a value is judged by the same rule', () => {
  for (let at = 0; at < 12; at++) {
    for (let byte = 0; byte < 256; byte++) {
      const value = Buffer.alloc(12, 'v');
      value[at] = byte;
      const { result, bytes } = scan(`GET / HTTP/1.1\r\nHost: a\r\nX:${value.toString('latin1')}\r\n\r\n`);
      const allowed = byte === 0x09 || (byte >= 0x20 && byte !== 0x7f); // RFC 9110 §5.5
      assert.equal(result, allowed ? bytes.length : BAD_REQUEST, `byte ${byte} at ${at}`);
    }
  }
});

test('control characters in several places of a value hide nowhere', () => {
  const { head, result, bytes } = scan('GET / HTTP/1.1\r\nHost: a\r\nX: a\tb\tcdefghij\t\r\n\r\n');
  assert.equal(result, bytes.length);
  assert.equal(bytes.toString('latin1', head.valueStart(1), head.valueEnd(1)), 'a\tb\tcdefghij');
  assert.equal(scan('GET / HTTP/1.1\r\nHost: a\r\nX: a\tb\0cdefghij\r\n\r\n').result, BAD_REQUEST);
});

function target(length: number): number {
  return scan(`GET /${'x'.repeat(length - 1)} HTTP/1.1\r\nHost: a\r\n\r\n`).result;
}

function fields(count: number): number {
  return scan(`GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(count - 1)}\r\n`).result;
}

/** A head of exactly so many bytes. */
function fill(length: number): string {
  const start = 'GET / HTTP/1.1\r\nHost: a\r\nX: ';
  return `${start}${'x'.repeat(length - start.length - 4)}\r\n\r\n`;
}

test('limits hold to the byte', () => {
  assert.equal(scan(fill(512)).result, 512);
  assert.equal(scan(fill(513)).result, HEADERS_TOO_LARGE);
  assert.equal(scan(fill(900).slice(0, 512)).result, HEADERS_TOO_LARGE);
  assert.equal(scan(fill(900).slice(0, 511)).result, 0);
  assert.ok(target(64) > 0);
  assert.equal(target(65), URI_TOO_LONG);
  assert.ok(fields(8) > 0);
  assert.equal(fields(9), HEADERS_TOO_LARGE);
});

test('a copy points at the same text in another place', () => {
  const { head, bytes } = scan('GET /a?b HTTP/1.1\r\nHost: shop\r\nX: y\r\n\r\n', 7);
  const moved = bytes.subarray(7);
  const copy = new RequestHead();
  copy.copyFrom(head, -7);
  assert.equal(moved.toString('latin1', copy.pathStart, copy.pathEnd), '/a');
  assert.equal(moved.toString('latin1', copy.valueStart(1), copy.valueEnd(1)), 'y');
  assert.equal(copy.end, moved.length);
});
