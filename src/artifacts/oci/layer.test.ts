import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { MayflyError } from '../../model/errors.ts';
import { digestOf } from '../digest.ts';
import { fileInLayers, makeLayer, unpackLayer } from './layer.ts';
import { limits } from './limits.ts';
import { LAYER_GZIP, LAYER_TAR, LAYER_ZSTD } from './media-types.ts';
import { writeTar } from './tar-write.ts';

const file = (name: string, text: string) => ({ name, bytes: Buffer.from(text) });
const describe = (bytes: Uint8Array, mediaType = LAYER_GZIP) => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});
const refusal = (text: RegExp) => (error: unknown) =>
  error instanceof MayflyError && error.code === 'bad-image' && text.test(error.message);

test('the same files give the same bytes, without a trace of time or machine', () => {
  const layer = makeLayer([file('app.wasm', 'x')]);
  assert.deepEqual(makeLayer([file('app.wasm', 'x')]), layer);
  assert.deepEqual([...layer.bytes.subarray(0, 10)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
  const tar = unpackLayer(layer.bytes, describe(layer.bytes), layer.diffId, 'test');
  assert.equal(Buffer.from(fileInLayers([tar], 'app.wasm', 'test') ?? []).toString(), 'x');
});

test('gzip, zstd and plain tars are read', () => {
  const tar = writeTar([file('a', 'abc')]);
  const kinds = [
    [tar, LAYER_TAR],
    [gzipSync(tar), LAYER_GZIP],
    [zstdCompressSync(tar), LAYER_ZSTD],
  ] as const;
  for (const [bytes, type] of kinds) {
    assert.deepEqual(Buffer.from(unpackLayer(bytes, describe(bytes, type), digestOf(tar), 'test')), tar);
  }
  assert.throws(
    () => unpackLayer(tar, describe(tar, 'text/plain'), undefined, 'test'),
    refusal(/not known: text\/plain/),
  );
});

test('a bomb is refused before it has grown', () => {
  const nothing = Buffer.alloc(limits.unpackedBytes + 1);
  const bombs = [
    [gzipSync(nothing, { level: 1 }), LAYER_GZIP],
    [zstdCompressSync(nothing), LAYER_ZSTD],
  ] as const;
  for (const [bytes, type] of bombs) {
    assert.ok(bytes.length < 2_000_000);
    assert.throws(
      () => unpackLayer(bytes, describe(bytes, type), undefined, 'test'),
      refusal(/unpacks to more than/),
    );
  }
});

test('a layer that is not what the configuration names is refused', () => {
  const { bytes } = makeLayer([file('a', 'abc')]);
  assert.throws(
    () => unpackLayer(bytes, describe(bytes), digestOf(Buffer.from('other')), 'test'),
    refusal(/does not unpack to/),
  );
  const cut = bytes.subarray(0, 30);
  assert.throws(() => unpackLayer(cut, describe(cut), undefined, 'test'), refusal(/cannot be unpacked/));
});

test('upper layers replace, whiteouts take away, links are no files', () => {
  const found = (...layers: (readonly [string, string])[][]) => {
    const tars = layers.map((files) => writeTar(files.map(([name, text]) => file(name, text))));
    const bytes = fileInLayers(tars, 'srv/app.wasm', 'test');
    return bytes === null ? null : Buffer.from(bytes).toString();
  };
  assert.equal(found([['srv/app.wasm', 'old']], [['srv/app.wasm', 'new']]), 'new');
  assert.equal(found([['srv/app.wasm', 'old']], [['srv/.wh.app.wasm', '']]), null);
  assert.equal(found([['srv/app.wasm', 'old']], [['srv/.wh..wh..opq', '']]), null);
  assert.equal(
    found(
      [['srv/app.wasm', 'old']],
      [
        ['srv/app.wasm', 'new'],
        ['srv/.wh..wh..opq', ''],
      ],
    ),
    'new',
  );
  assert.equal(found([['app.wasm', 'elsewhere']]), null);
  const link = writeTar([file('srv/app.wasm', '')]);
  link.write('2', 156);
  link.write('        ', 148);
  const sum = link.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  link.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  assert.throws(() => fileInLayers([link], 'srv/app.wasm', 'test'), refusal(/is not a file/));
});
