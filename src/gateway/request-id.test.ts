import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestIdLine, RequestIds } from './request-id.ts';

test('new ids differ, and keep their form over every carry', () => {
  const ids = new RequestIds();
  const line = new RequestIdLine();
  const seen = new Set<string>();
  for (let i = 0; i < 50_000; i++) {
    line.make(ids);
    assert.match(line.value(), /^[0-9a-f]{12}-[0-9a-z]{8}$/);
    seen.add(line.value());
  }
  assert.equal(seen.size, 50_000);
  assert.equal(line.bytes.toString('latin1', 0, line.lineEnd), `x-request-id: ${line.value()}\r\n`);
});

test("a client's id is taken when it is short and plain, and nothing else is", () => {
  const line = new RequestIdLine();
  const take = (text: string) => {
    const bytes = Buffer.from(text, 'latin1');
    return line.take(bytes, 0, bytes.length);
  };
  assert.equal(take('order-17/a.b:c+d=e@f_G'), true);
  assert.equal(line.value(), 'order-17/a.b:c+d=e@f_G');
  assert.equal(take('x'.repeat(128)), true);
  for (const text of ['', 'x'.repeat(129), 'two words', 'a\r\nb: c', 'a;b', '"a"', 'caf\u00e9', 'a\0']) {
    assert.equal(take(text), false, JSON.stringify(text));
  }
});
