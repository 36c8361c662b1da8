import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Output } from './output.ts';

function write(output: Output, text: string): void {
  const bytes = Buffer.from(text);
  output.put(bytes, 0, bytes.length);
}

test('pieces of any length, whole or from within a buffer, come out as they went in', () => {
  const output = new Output(8);
  const source = Buffer.from(Array.from({ length: 200 }, (_, i) => i));
  let expected = Buffer.alloc(0);
  for (const count of [0, 1, 15, 16, 17, 24, 25, 64, 65, 199]) {
    output.put(source, 1, 1 + count);
    output.put(source.subarray(0, count), 0, count);
    expected = Buffer.concat([expected, source.subarray(1, 1 + count), source.subarray(0, count)]);
  }
  assert.deepEqual(output.take(), expected);
});

test('what is taken is what was written since the last time, whatever lengths came before', () => {
  const output = new Output(64);
  for (const text of [
    'first',
    'other',
    'longer than both',
    'x'.repeat(5 + 64),
    'again',
    'x'.repeat(200),
    'final',
  ]) {
    write(output, text);
    const taken = output.take();
    assert.equal(taken.toString(), text);
    output.release(true);
  }
});

test('bytes that the kernel has not taken yet are left alone', () => {
  const output = new Output(64);
  write(output, 'unsent');
  const unsent = output.take();
  output.release(false);
  write(output, 'newer!');
  assert.equal(output.take().toString(), 'newer!');
  assert.equal(unsent.toString(), 'unsent');
});

test('numbers in decimal digits', () => {
  const output = new Output(4);
  for (const value of [0, 9, 10, 4_294_967_296, Number.MAX_SAFE_INTEGER]) {
    output.putNumber(value);
    assert.equal(output.take().toString(), String(value));
  }
});
