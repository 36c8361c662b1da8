import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { MayflyError } from '../model/errors.ts';
import { formatLogLine } from './log-text.ts';
import { createLog, type LogOptions } from './log.ts';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl';

function logIn(t: TestContext, options: Partial<LogOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'deep', 'mayfly.log');
  const log = createLog({ level: 'info', format: 'json', output: file, ...options });
  const text = () => {
    log.flush();
    return readFileSync(file, 'utf8');
  };
  return {
    file,
    log,
    text,
    lines: () =>
      text()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
  };
}

test('one JSON object a line, with time, level and fields, from the level on', (t) => {
  const { log, lines } = logIn(t, { level: 'warn' });
  log.logger.info('too quiet');
  log.logger.warn({ function: 'shop' }, 'slow');
  const [line, ...rest] = lines();
  assert.equal(rest.length, 0);
  assert.match(line.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual({ ...line, time: '' }, { time: '', level: 'warn', function: 'shop', msg: 'slow' });
});

test('secrets do not get through: named fields, and tokens anywhere in a line', (t) => {
  const { log, text } = logIn(t);
  log.logger.info(
    { authorization: 'hunter2', headers: { cookie: 'hunter2' }, a: { b: { token: 'hunter2' } } },
    'x',
  );
  log.logger.info({ path: `/x?t=${JWT}` }, `Bearer ${JWT}`);
  log.logger.error(new Error(`bad token ${JWT}`));
  assert.doesNotMatch(text(), /hunter2|eyJ/);
  assert.equal(text().trim().split('\n').length, 3);
});

test('after a rotation, reopen writes to a new file', (t) => {
  const { file, log, text } = logIn(t);
  log.logger.info('first');
  log.flush();
  renameSync(file, `${file}.1`);
  log.reopen();
  log.logger.info('second');
  assert.match(readFileSync(`${file}.1`, 'utf8'), /first/);
  assert.match(text(), /second/);
  assert.doesNotMatch(text(), /first/);
});

test('a file that cannot be written is one clear error at once', (t) => {
  const { file } = logIn(t);
  writeFileSync(`${file}.txt`, '');
  assert.throws(
    () => createLog({ level: 'info', format: 'json', output: join(`${file}.txt`, 'x.log') }),
    MayflyError,
  );
});

test('text for people: time, level, message, fields, and the stack below', (t) => {
  const { log, text } = logIn(t, { format: 'text' });
  log.logger.info({ address: '0.0.0.0:8080', note: 'two words' }, 'listening');
  log.logger.error({ err: new Error('broken') }, 'failed');
  const [first, second, third] = text().split('\n');
  assert.match(
    first ?? '',
    /^\d\d:\d\d:\d\d\.\d{3} info {2}listening address=0\.0\.0\.0:8080 note="two words"$/,
  );
  assert.match(second ?? '', /error failed$/);
  assert.match(third ?? '', /^ {2}Error: broken$/);
});

test('colours only when asked for', () => {
  const line = '{"time":"2026-11-22T10:00:00.000Z","level":"warn","msg":"m"}';
  assert.ok(formatLogLine(line, true).includes('\u001b['));
  assert.ok(!formatLogLine(line, false).includes('\u001b'));
});

test('what a guest writes cannot steer a terminal or start a line of its own', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), (msg, value) => {
      const line = JSON.stringify({ time: '2026-11-22T10:00:00.000Z', level: 'info', msg, value });
      const text = formatLogLine(line, false);
      assert.match(text, /^[^\p{Cc}\u2028\u2029]*\n$/u);
    }),
  );
  const escape = formatLogLine(
    '{"level":"info","msg":"\\u001b[2J","time":"2026-11-22T10:00:00.000Z"}',
    false,
  );
  assert.ok(escape.includes('\\u001b[2J'));
});
