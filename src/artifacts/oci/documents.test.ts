import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MayflyError } from '../../model/errors.ts';
import { digestOf } from '../digest.ts';
import { parseConfig, parseDocument, verified } from './documents.ts';
import { limits } from './limits.ts';
import { CONFIG, INDEX, MANIFEST } from './media-types.ts';

const part = { mediaType: CONFIG, digest: `sha256:${'0'.repeat(64)}`, size: 2 };
const image = { schemaVersion: 2, mediaType: MANIFEST, config: part, layers: [] };
const parse = (value: unknown) => parseDocument(Buffer.from(JSON.stringify(value)), 'test');
const refusal = (text: RegExp) => (error: unknown) =>
  error instanceof MayflyError && error.code === 'bad-image' && text.test(error.message);

test('an image, an index, and both without saying what they are', () => {
  assert.equal(parse(image).type, 'image');
  assert.equal(parse({ ...image, mediaType: undefined }).type, 'image');
  assert.equal(parse({ schemaVersion: 2, mediaType: INDEX, manifests: [] }).type, 'index');
  assert.equal(parse({ schemaVersion: 2, manifests: [part] }).type, 'index');
});

test('one document is never two things', () => {
  assert.throws(() => parse({ ...image, manifests: [part] }), refusal(/claims to be an index as well/));
  assert.throws(() => parse({ ...image, mediaType: INDEX }), refusal(/manifests/));
});

test('what is wrong is said in one sentence', () => {
  const cases: [unknown, RegExp][] = [
    [
      { ...image, mediaType: 'application/vnd.docker.distribution.manifest.v1+json' },
      /neither an image manifest nor an index/,
    ],
    [{ ...image, schemaVersion: 1 }, /schemaVersion/],
    [{ ...image, config: undefined }, /config/],
    [{ ...image, config: { ...part, digest: 'sha256:../../etc' } }, /config\.digest: is not sha256/],
    [{ ...image, config: { ...part, digest: `sha512:${'0'.repeat(128)}` } }, /config\.digest/],
    [{ ...image, config: { ...part, size: -1 } }, /config\.size/],
    [{ ...image, layers: [{ ...part, size: 0.5 }] }, /layers\.0\.size/],
    [{ ...image, layers: Array.from({ length: limits.children + 1 }, () => part) }, /layers/],
    [[], /not a JSON object/],
    ['x', /not a JSON object/],
  ];
  for (const [value, expected] of cases) assert.throws(() => parse(value), refusal(expected));
  assert.throws(() => parseDocument(Buffer.from('{'), 'test'), refusal(/is not JSON/));
  assert.throws(() => parseDocument(Buffer.from([0x22, 0xff, 0x22]), 'test'), refusal(/is not JSON/));
  assert.throws(
    () => parseDocument(Buffer.alloc(limits.manifestBytes + 1, ' '), 'test'),
    refusal(/more than/),
  );
  assert.throws(() => parseConfig(Buffer.from('{}'), 'test'), refusal(/architecture/));
});

test('bytes are what their descriptor promised, or nothing', () => {
  const bytes = Buffer.from('abc');
  const promised = { digest: digestOf(bytes), size: 3 };
  assert.equal(verified(bytes, promised, 'test'), bytes);
  assert.throws(() => verified(Buffer.from('abd'), promised, 'test'), refusal(/does not match its digest/));
  assert.throws(() => verified(Buffer.from('abcd'), promised, 'test'), refusal(/4 bytes instead of 3/));
});
