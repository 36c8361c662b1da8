import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { GuestLogLine } from '../model/protocol.ts';
import { createGuestLogs } from './guest-logs.ts';

function line(name: string, message: string): GuestLogLine {
  return { level: 'info', message, function: name, revision: `${name}-1`, requestId: 'r', time: 0 };
}

const messages = (lines: readonly GuestLogLine[]) => lines.map(({ message }) => message);

test('the newest lines of each function are kept, all are forwarded', () => {
  const forwarded: GuestLogLine[] = [];
  const logs = createGuestLogs({ forward: (item) => forwarded.push(item) });
  logs.append([line('a', '1'), line('b', '2'), line('a', '3')]);
  assert.deepEqual(messages(logs.tail('a', 10)), ['1', '3']);
  assert.deepEqual(messages(logs.tail('a', 1)), ['3']);
  assert.deepEqual(messages(logs.tail('a', 0)), []);
  assert.deepEqual(messages(logs.tail('none', 5)), []);
  assert.deepEqual(messages(forwarded), ['1', '2', '3']);
  logs.forget('a');
  assert.deepEqual(messages(logs.tail('a', 10)), []);
});

test('a follower hears its function until it stops', () => {
  const logs = createGuestLogs({ forward: () => {} });
  const heard: string[] = [];
  const stop = logs.follow('a', ({ message }) => heard.push(message));
  logs.append([line('a', '1'), line('b', '2')]);
  stop();
  logs.append([line('a', '3')]);
  assert.deepEqual(heard, ['1']);
});

test('whatever guests log, lines and characters stay bounded and the newest line is there', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 60 }), { minLength: 1, maxLength: 300 }), (texts) => {
      const logs = createGuestLogs({ forward: () => {}, maxLines: 20, maxCharacters: 200 });
      for (const text of texts) {
        logs.append([line('a', text)]);
        const kept = logs.tail('a', 1000);
        assert.ok(kept.length <= 20);
        assert.ok(kept.length === 1 || kept.reduce((sum, { message }) => sum + message.length, 0) <= 200);
        assert.equal(kept.at(-1)?.message, text);
      }
      const kept = messages(logs.tail('a', 1000));
      assert.deepEqual(kept, texts.slice(-kept.length));
    }),
  );
});
