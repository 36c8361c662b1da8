import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MayflyError } from '../../model/errors.ts';
import { readTar } from './tar-read.ts';
import { writeTar } from './tar-write.ts';

const read = (archive: Uint8Array) => [...readTar(archive, 'test')];
const refusal = (text: RegExp) => (error: unknown) =>
  error instanceof MayflyError && error.code === 'bad-image' && text.test(error.message);

/** Rewrites one entry's header and its checksum, as another tar program would have it. */
function patched(archive: Buffer, change: (header: Buffer) => void): Buffer {
  const copy = Buffer.from(archive);
  const header = copy.subarray(0, 512);
  change(header);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return copy;
}

/** An entry that says something about the next one. */
function meta(kind: string, content: Uint8Array): Buffer {
  const tar = patched(writeTar([{ name: 'meta', bytes: content }]), (header) => header.write(kind, 156));
  return tar.subarray(0, -1024);
}

test('what is written is read back', () => {
  const name = fc.stringMatching(/^[a-z0-9]{1,20}(\/[a-z0-9]{1,20}){0,2}$/);
  const files = fc.array(
    fc.record(
      { name, bytes: fc.uint8Array({ maxLength: 1500 }), mode: fc.constantFrom(0o644, 0o755) },
      { noNullPrototype: true },
    ),
  );
  fc.assert(
    fc.property(files, (given) => {
      const tar = writeTar(given);
      assert.equal(tar.length % 512, 0);
      const back = read(tar).map((entry) => ({
        name: entry.name,
        bytes: new Uint8Array(entry.bytes),
        mode: entry.mode,
      }));
      assert.deepEqual(back, given);
    }),
    { numRuns: 100 },
  );
});

test('names of more than 100 bytes are parted, folders are said; what cannot be parted is refused', () => {
  const none = new Uint8Array();
  const names = [`${'a'.repeat(100)}/b`, `${'deep/'.repeat(49)}file`, `${'x/'.repeat(60)}${'y'.repeat(100)}`];
  const tar = writeTar([
    ...names.map((name) => ({ name, bytes: none })),
    { name: 'tmp/', bytes: none, mode: 0o1777 },
  ]);
  assert.deepEqual(
    read(tar).map(({ name, type }) => [name, type]),
    [...names.map((name) => [name, 'file']), ['tmp', 'folder']],
  );
  for (const name of ['z'.repeat(101), `${'z'.repeat(156)}/b`, `a/${'z'.repeat(101)}`, `${'z'.repeat(101)}/`])
    assert.throws(() => writeTar([{ name, bytes: none }]), /too long/);
});

test('long names as pax and GNU write them, prefixes of ustar, sizes in base 256', () => {
  const plain = writeTar([{ name: 'short', bytes: Buffer.from('abc') }]);
  const long = `${'deep/'.repeat(50)}file`;
  const record = (text: string) => {
    const length = text.length + 1 + String(text.length + 4).length;
    return Buffer.from(`${length} ${text}`);
  };
  assert.deepEqual(
    read(Buffer.concat([meta('L', Buffer.from(`${long}\0`)), plain])).map(({ name }) => name),
    [long],
  );
  assert.deepEqual(
    read(Buffer.concat([meta('x', record(`path=${long}\n`)), plain])).map(({ name }) => name),
    [long],
  );
  const prefixed = patched(plain, (header) => header.write('usr/share', 345));
  assert.equal(read(prefixed)[0]?.name, 'usr/share/short');
  const base256 = patched(plain, (header) => {
    header.fill(0, 124, 136);
    header[124] = 0x80;
    header[135] = 3;
  });
  assert.equal(Buffer.from(read(base256)[0]?.bytes ?? []).toString(), 'abc');
  const sized = Buffer.concat([meta('x', record('size=2\n')), plain]);
  assert.equal(Buffer.from(read(sized)[0]?.bytes ?? []).toString(), 'ab');
});

test('names that lead out of the archive are refused, however they are written', () => {
  for (const name of ['../etc/passwd', 'a/../../b', '..', '/../x', 'a/..']) {
    assert.throws(() => read(writeTar([{ name, bytes: Buffer.alloc(0) }])), refusal(/leads out of it/), name);
  }
  const plain = writeTar([{ name: 'short', bytes: Buffer.alloc(0) }]);
  const sneaky = Buffer.concat([meta('x', Buffer.from('16 path=../evil\n')), plain]);
  assert.throws(() => read(sneaky), refusal(/leads out of it/));
  assert.deepEqual(
    read(writeTar([{ name: '/./a//b', bytes: Buffer.alloc(0) }])).map(({ name }) => name),
    ['a/b'],
  );
});

test('an archive that is cut or changed is refused', () => {
  const whole = writeTar([{ name: 'a', bytes: Buffer.alloc(700, 1) }]);
  for (const length of [100, 511, 512, 1000, 1211]) {
    assert.throws(() => read(whole.subarray(0, length)), refusal(/ends in the middle/), String(length));
  }
  const flipped = Buffer.from(whole);
  flipped[3] = 0x41;
  assert.throws(() => read(flipped), refusal(/damaged entry/));
  const huge = patched(whole, (header) => header.write('77777777777', 124));
  assert.throws(() => read(huge), refusal(/ends in the middle/));
  const negative = patched(whole, (header) => header.fill(0xff, 124, 136));
  assert.throws(() => read(negative), refusal(/ends in the middle/));
  for (const record of ['8 path=x\n', '999 path=x\n', 'path=x\n', '11 size=-1\n', '3 \n']) {
    assert.throws(
      () => read(Buffer.concat([meta('x', Buffer.from(record)), whole])),
      refusal(/damaged pax/),
      record,
    );
  }
});

test('a name that is too long to write is our own mistake', () => {
  assert.throws(() => writeTar([{ name: 'x'.repeat(101), bytes: Buffer.alloc(0) }]), /too long/);
});
