import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MayflyError } from '../../model/errors.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

function written(write: (writer: Writer) => void): Reader {
  const writer = new Writer(1);
  write(writer);
  return new Reader(writer.written());
}

test('integers and names are read as they were written', () => {
  fc.assert(
    fc.property(
      fc.nat(0xffff_ffff),
      fc.integer(),
      fc.string({ unit: 'grapheme' }),
      (unsigned, signed, text) => {
        const name = text.toWellFormed();
        const reader = written((writer) => {
          writer.u32(unsigned);
          writer.s32(signed);
          writer.name(name);
          writer.s32(signed);
        });
        assert.deepEqual([reader.u32(), reader.s32(), reader.name()], [unsigned, signed, name]);
        reader.skipInteger();
        assert.ok(reader.done);
      },
    ),
  );
});

for (const [what, bytes, read] of [
  ['an integer that does not end', [0x80], (reader: Reader) => reader.u32()],
  ['an integer that is too long', [0x80, 0x80, 0x80, 0x80, 0x80, 0x00], (reader: Reader) => reader.u32()],
  ['a name longer than the module', [0x7f, 0x61], (reader: Reader) => reader.name()],
  ['a name that is not UTF-8', [0x01, 0xff], (reader: Reader) => reader.name()],
  ['a list longer than the module', [0xff, 0xff, 0xff, 0xff, 0x0f], (reader: Reader) => reader.count()],
  ['a skip beyond the end', [0x00], (reader: Reader) => reader.skip(2)],
] as const) {
  test(`refused: ${what}`, () => {
    const reader = new Reader(Uint8Array.from(bytes));
    assert.throws(
      () => read(reader),
      (error: unknown) => error instanceof MayflyError && error.code === 'invalid-module',
    );
  });
}
