import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldKind, knownFieldAt } from './field-names.ts';
import { CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOP_BY_HOP, HOST, OTHER, REQUEST_ID } from './fields.ts';
import { wordsOf } from './words.ts';

const names = {
  host: HOST,
  te: HOP_BY_HOP,
  'content-type': CONTENT_TYPE,
  'content-length': CONTENT_LENGTH,
  connection: CONNECTION,
  'x-request-id': REQUEST_ID,
  'proxy-connection': HOP_BY_HOP,
};

/** The kind of the field whose line is `line`, at an odd place between other bytes. */
function kindOf(line: Buffer): number {
  const bytes = Buffer.concat([Buffer.from('abc'), line, Buffer.from('abc')]);
  return knownFieldAt(wordsOf(bytes), 3, bytes.length - 3, bytes[3])?.kind ?? OTHER;
}

/** Every line that differs from `line` in one of the first `length` bytes. */
function* neighbours(line: Buffer, length: number): Generator<{ changed: Buffer; sameButForCase: boolean }> {
  const lower = line.toString('latin1').toLowerCase();
  for (let i = 0; i < length; i++) {
    for (let byte = 0; byte < 256; byte++) {
      const changed = Buffer.from(line);
      changed[i] = byte;
      yield { changed, sameButForCase: changed.toString('latin1').toLowerCase() === lower };
    }
  }
}

test('a known name is known in either case, and no other byte passes for one of its own', () => {
  for (const [name, kind] of Object.entries(names)) {
    const line = Buffer.from(`${name}: v`);
    for (const { changed, sameButForCase } of neighbours(line, name.length + 1)) {
      assert.equal(kindOf(changed), sameButForCase ? kind : OTHER, changed.toString('latin1'));
    }
    assert.equal(kindOf(Buffer.from(`${name.toUpperCase()}: v`)), kind);
    assert.equal(kindOf(Buffer.from(`${name}-x: v`)), OTHER);
  }
});

test('a name that is cut off is not known yet, even where the bytes behind would complete it', () => {
  for (const name of Object.keys(names)) {
    const bytes = Buffer.from(`${name}: v`);
    for (let end = 0; end <= name.length; end++) {
      assert.equal(knownFieldAt(wordsOf(bytes), 0, end, bytes[0]), null, `${name} up to ${end}`);
    }
  }
});

test('a name by itself, as a trailer has it', () => {
  const bytes = Buffer.from('xContent-TYPEx');
  assert.equal(fieldKind(bytes, 1, 13), CONTENT_TYPE);
  assert.equal(fieldKind(bytes, 1, 14), OTHER);
});
