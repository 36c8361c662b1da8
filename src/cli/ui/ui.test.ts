import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../config/issues.ts';
import { MayflyError } from '../../model/errors.ts';
import { printError, printResult, type Terminal } from './report.ts';
import { startSpinner } from './spinner.ts';
import { formatTable, widthOf } from './table.ts';
import { paintFor, printable, usesColour } from './terminal.ts';

function remembering(isTTY: boolean) {
  let text = '';
  return { isTTY, write: (more: string) => (text += more), text: () => text };
}

function terminal({ json = false, isTTY = false, env = {} } = {}) {
  const out = remembering(isTTY);
  const err = remembering(isTTY);
  const given: Terminal = { out, err, env, json };
  return { out, err, given };
}

const plain = paintFor(remembering(false), {});

test('colours on a terminal only; NO_COLOR and FORCE_COLOR decide first', () => {
  assert.equal(usesColour(remembering(true), {}), true);
  assert.equal(usesColour(remembering(false), {}), false);
  assert.equal(usesColour(remembering(true), { NO_COLOR: '1' }), false);
  assert.equal(usesColour(remembering(true), { NO_COLOR: '' }), true);
  assert.equal(usesColour(remembering(true), { TERM: 'dumb' }), false);
  assert.equal(usesColour(remembering(false), { FORCE_COLOR: '1' }), true);
  assert.equal(usesColour(remembering(true), { FORCE_COLOR: '0' }), false);
});

test('a table: columns aligned, numbers to the right, wide characters counted', () => {
  const columns = [
    { title: 'name', cell: (row: { name: string; size: number }) => row.name },
    { title: 'bytes', cell: (row: { name: string; size: number }) => row.size },
  ];
  const rows = [
    { name: 'flash-sale', size: 1234 },
    { name: '注文', size: 5 },
  ];
  assert.equal(
    formatTable(columns, rows, plain),
    ['name        bytes', 'flash-sale   1234', '注文            5', ''].join('\n'),
  );
  assert.equal(formatTable(columns, [], plain), 'name  bytes\n');
});

test('whatever the cells, a table has one line a row and no escapes', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (names) => {
      const text = formatTable([{ title: 'n', cell: (name: string) => name }], names, plain);
      assert.equal(text.split('\n').length, names.length + 2);
      assert.ok(!text.includes('\u001b'));
    }),
  );
});

test('width counts what is seen', () => {
  assert.equal(widthOf('\u001b[31mred\u001b[0m'), 3);
  assert.equal(widthOf('e\u0301'), 1);
  assert.equal(widthOf('🎉'), 2);
});

test('a spinner moves on a terminal and is gone after; elsewhere only its last line is written', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const screen = remembering(true);
  const moving = startSpinner(screen, plain, 'building');
  t.mock.timers.tick(200);
  moving.update('storing');
  moving.stop('done');
  assert.match(screen.text(), /building.*building.*storing/s);
  assert.ok(screen.text().endsWith('\r\u001b[2Kdone\n'));
  const after = screen.text();
  t.mock.timers.tick(1000);
  assert.equal(screen.text(), after);

  const pipe = remembering(false);
  const still = startSpinner(pipe, plain, 'building');
  t.mock.timers.tick(200);
  still.update('storing');
  still.stop('done');
  assert.equal(pipe.text(), 'done\n');
});

test('a result is text for people, and one JSON value with --json', () => {
  const people = terminal();
  printResult(people.given, { a: 1 }, ({ a }) => `a is ${a}\n`);
  assert.equal(people.out.text(), 'a is 1\n');
  const program = terminal({ json: true });
  printResult(program.given, { a: 1 }, () => 'never');
  assert.deepEqual(JSON.parse(program.out.text()), { a: 1 });
});

test('an error says what failed, where, and how to fix it', () => {
  const error = new MayflyError('Cannot listen: the port is in use', {
    where: '0.0.0.0:8080',
    fix: 'Stop the other process or set PORT.',
    exitCode: 1,
    code: 'port-in-use',
  });
  const people = terminal();
  assert.equal(printError(people.given, error), 1);
  assert.equal(people.out.text(), '');
  assert.equal(
    people.err.text(),
    'error Cannot listen: the port is in use (0.0.0.0:8080)\n  Stop the other process or set PORT.\n',
  );
  const program = terminal({ json: true });
  printError(program.given, error);
  assert.deepEqual(JSON.parse(program.out.text()), {
    error: {
      code: 'port-in-use',
      message: 'Cannot listen: the port is in use',
      where: '0.0.0.0:8080',
      fix: 'Stop the other process or set PORT.',
    },
  });
});

test('a configuration error lists every issue, one a line', () => {
  const issue = {
    file: 'mayfly.yaml',
    line: 2,
    column: 3,
    key: 'server.prot',
    message: 'is not a known key',
    found: null,
    allowed: null,
    suggestion: 'port',
  };
  const error = new ConfigError('mayfly.yaml', [issue, { ...issue, line: 4 }]);
  const people = terminal();
  assert.equal(printError(people.given, error), 2);
  assert.equal(
    people.err.text(),
    'error Cannot use the configuration: 2 problems\n  mayfly.yaml:2:3: server.prot is not a known key. Did you mean port?\n  mayfly.yaml:4:3: server.prot is not a known key. Did you mean port?\n',
  );
  const program = terminal({ json: true });
  printError(program.given, error);
  assert.equal(JSON.parse(program.out.text()).error.issues.length, 2);
});

test('a bug of ours says so; its stack comes when asked for', () => {
  const quiet = terminal();
  assert.equal(printError(quiet.given, new TypeError('x is undefined')), 1);
  assert.equal(
    quiet.err.text(),
    'error x is undefined\n  This is a bug in Mayfly. Set MAYFLY_DEBUG=1 to see where.\n',
  );
  const debugging = terminal({ env: { MAYFLY_DEBUG: '1' } });
  printError(debugging.given, new TypeError('x is undefined'));
  assert.match(debugging.err.text(), /ui\.test\.ts/);
});

test('on a terminal errors are coloured, and foreign text cannot bring escapes of its own', () => {
  const screen = terminal({ isTTY: true });
  printError(screen.given, new MayflyError('bad \u001b[2J name'));
  assert.ok(screen.err.text().startsWith('\u001b['));
  assert.equal(stripVTControlCharacters(screen.err.text()), 'error bad \\u001b[2J name\n');
  assert.equal(printable('a\r\n\u202eb'), 'a\\u000d\\u000a\\u202eb');
});
