/** What arrives from the store of a fleet: any bytes, cut anywhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { packMessage, unpackMessage } from '../../src/fleet/message.ts';
import { command, ReplyReader, type Reply } from '../../src/fleet/resp.ts';

const bytes = fc.uint8Array({ maxLength: 200 }).map((value) => Buffer.from(value));

/** All replies of bytes that come in pieces. */
function read(whole: Buffer, cuts: readonly number[]): Reply[] {
  const reader = new ReplyReader();
  const replies: Reply[] = [];
  let from = 0;
  for (const to of [...cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b), whole.length]) {
    replies.push(...reader.push(whole.subarray(from, to)));
    from = to;
  }
  return replies;
}

test('replies come out whole, wherever the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(bytes, { minLength: 1, maxLength: 4 }), { maxLength: 5 }),
      fc.array(fc.nat(2000), { maxLength: 20 }),
      (commands, cuts) => {
        // A command has the form of a list.
        const whole = Buffer.concat(commands.map((words) => command(...words)));
        const lists = read(whole, cuts).map((reply) => {
          assert.ok(reply.type === 'list');
          return reply.items.map((item) => (item.type === 'text' ? item.value.toString('hex') : null));
        });
        assert.deepEqual(
          lists,
          commands.map((words) => words.map((word) => word.toString('hex'))),
        );
      },
    ),
  );
});

test('bytes that are no replies end in an error or in nothing, never in a loop', () => {
  const likely = fc
    .array(
      fc.constantFrom('*', '$', '>', '%', '-', '+', ':', '!', '\r\n', '1', '3', '-1', '99999999999', 'x'),
    )
    .map((parts) => Buffer.from(parts.join('')));
  fc.assert(
    fc.property(fc.oneof(bytes, likely), fc.array(fc.nat(300), { maxLength: 5 }), (whole, cuts) => {
      try {
        for (const reply of read(whole, cuts)) assert.ok('type' in reply);
      } catch (error) {
        assert.match((error as Error).message, /repl|protocol/);
      }
    }),
    { numRuns: 2000 },
  );
});

test('messages survive the way; other bytes are no messages', () => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const used = fc.record(
    {
      limit: word,
      low: word,
      high: word.filter((high) => high !== 0),
      ticks: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    },
    { noNullPrototype: true },
  );
  const id = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(id, fc.nat(), fc.array(used), (from, number, spent) => {
      const message = unpackMessage(packMessage(from, number, spent));
      assert.deepEqual(message, { from: Buffer.from(from).toString('hex'), number, spent });
    }),
  );
  fc.assert(
    fc.property(bytes, id, fc.array(used), fc.nat(), (noise, from, spent, at) => {
      assert.equal(unpackMessage(noise), null);
      const message = packMessage(from, 1, spent);
      message[at % message.length] = noise[0] ?? 0;
      for (const { high, ticks } of unpackMessage(message)?.spent ?? []) assert.ok(high !== 0 && ticks > 0);
    }),
  );
});
