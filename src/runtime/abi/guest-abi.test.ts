/** docs/reference/guest-abi.md: the worked example is what the host really writes and reads. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { requestParts } from '../../../test/support/guest.ts';
import { METHODS } from '../../model/method.ts';
import { requestFrameLength, writeRequestFrame } from './request-frame.ts';
import { DEFAULT_HEADER_LIMITS, ResponseReader } from './response-frame.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/guest-abi.md'), 'utf8');

/** The bytes of the dump in the fenced block of that name. */
function dump(name: string): Buffer {
  const block = new RegExp(`\`\`\`${name}\n([^\`]+)\`\`\``).exec(page);
  assert.ok(block, `the page has no block ${name}`);
  const lines = (block[1] as string).trimEnd().split('\n');
  const bytes = Buffer.concat(lines.map((line) => Buffer.from(line.slice(6, 53).replaceAll(' ', ''), 'hex')));
  for (const [index, line] of lines.entries()) {
    const row = bytes.subarray(index * 16, index * 16 + 16);
    assert.equal(line.slice(0, 4), (index * 16).toString(16).padStart(4, '0'));
    assert.equal(line.slice(55), row.toString('latin1').replace(/[^ -~]/g, '.'), 'text beside the bytes');
  }
  return bytes;
}

test('The request frame of the worked example', () => {
  const parts = requestParts({
    method: 'POST',
    target: '/orders?dry=1',
    headers: [['Host', 'shop.example']],
    user: { sub: 'u1' },
    body: '{"sku":"lamp"}',
  });
  const frame = Buffer.alloc(requestFrameLength(parts));
  writeRequestFrame(parts, frame, 0);
  assert.deepEqual(frame, dump('request-frame'));
});

test('The rows that explain it add up to its head and table', () => {
  const rows = [...page.matchAll(/^\| `([0-9a-f ]+)` \|/gm)].map((row) =>
    (row[1] as string).replaceAll(' ', ''),
  );
  const explained = Buffer.from(rows.join(''), 'hex');
  assert.deepEqual(explained, dump('request-frame').subarray(0, explained.length));
  assert.equal(explained.length, 40 + 16);
});

test('The response frame of the worked example', () => {
  const frame = dump('response-frame');
  const reader = new ResponseReader({ maxBodyBytes: 100, ...DEFAULT_HEADER_LIMITS });
  assert.equal(reader.read(frame, 0, frame.length), null);
  assert.equal(frame.length, 45);
  assert.equal(reader.status, 201);
  assert.equal(reader.headers.toString(), 'content-type: text/plain\r\n');
  assert.equal(frame.toString('utf8', reader.bodyStart, reader.bodyEnd), 'ok\n');
});

test('The page lists the method codes and the header limits as they are', () => {
  const codes = METHODS.map((name, code) => `${code} ${name}`)
    .slice(1)
    .join(', ');
  assert.ok(page.includes(`method: ${codes} |`));
  const { maxHeaders, maxHeaderBytes } = DEFAULT_HEADER_LIMITS;
  assert.ok(page.includes(`more than ${maxHeaders} headers or ${maxHeaderBytes / 1024} KiB of them`));
});
