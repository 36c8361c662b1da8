/** The AssemblyScript SDK against JavaScript's own JSON, URLSearchParams and TextDecoder, through a real guest. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { buildFunction } from '../../src/build/build.ts';
import { TestGuest, type TestRequest, type TestResponse } from '../support/guest.ts';

const scratch = mkdtempSync(join(tmpdir(), 'mayfly-sdk-'));
let guest: TestGuest;
before(async () => {
  const source = join(import.meta.dirname, '../fixtures/guests/sdk.ts');
  guest = new TestGuest((await buildFunction({ source, cache: scratch })).wasm);
});
after(() => rmSync(scratch, { recursive: true }));

function post(target: string, body: string | Uint8Array): TestResponse {
  return guest.call({ method: 'POST', target, body });
}
function text(request: TestRequest): string {
  return guest.call(request).body.toString();
}
function json(request: TestRequest): unknown {
  return JSON.parse(text(request));
}

test('A request is read as fetch would read it', () => {
  assert.deepEqual(json({ method: 'PUT', target: '/about' }), {
    method: 'PUT',
    path: '/about',
    url: '/about',
    is: true,
  });
  assert.deepEqual(json({ target: '/about?a=1' }), {
    method: 'GET',
    path: '/about',
    url: '/about?a=1',
    is: false,
  });
  const headers = [
    ['Content-Type', 'a'],
    ['x', 'y'],
    ['CONTENT-type', 'b'],
  ] as const;
  assert.equal(text({ target: '/header?name=content-TYPE', headers }), 'a, b');
  assert.equal(text({ target: '/header?name=content-typ', headers }), '(none)');
  assert.equal(text({ target: '/header?name=X', headers }), 'y');
});

test('The claims of the token are JSON; nobody signed in is a missing value', () => {
  assert.deepEqual(json({ target: '/user', user: { sub: 'u1' } }), { sub: 'u1', anonymous: false });
  assert.deepEqual(json({ target: '/user' }), { sub: null, anonymous: true });
});

test('A response carries status, headers and body', () => {
  const response = post('/text', 'h\u00f6i');
  assert.equal(response.status, 201);
  assert.deepEqual(response.headers, { 'content-type': 'text/plain; charset=utf-8', 'x-kind': 'text' });
  assert.equal(response.body.toString(), 'h\u00f6i');
  assert.equal(guest.call({ target: '/nowhere' }).headers['content-type'], 'application/problem+json');
});

test('Headers can be set, repeated, deleted, and be longer than the room in front of the body', () => {
  const { headers, body } = guest.call({ target: '/headers' });
  assert.deepEqual(Object.keys(headers), ['content-type', 'set-cookie', 'x-long']);
  assert.equal(headers['content-type'], 'text/x');
  assert.equal(headers['x-long']?.length, 1000);
  assert.equal(body.toString(), 'x');
});

test('Bodies of any size arrive and leave unchanged', () => {
  for (const size of [0, 1, 255, 256, 65536, 300_000]) {
    const body = Buffer.alloc(size, 0xfe);
    assert.ok(post('/echo', body).body.equals(body), `${size} bytes`);
  }
});

test('config reads values short and long, and says when there is none', () => {
  guest.config = { SHORT: 'ä', LONG: 'x'.repeat(1000) };
  assert.equal(text({ target: '/config', body: 'SHORT' }), 'ä');
  assert.equal(text({ target: '/config', body: 'LONG' }), 'x'.repeat(1000));
  assert.equal(text({ target: '/config', body: 'NONE' }), '(none)');
});

test('log, now and random reach the host', () => {
  text({ target: '/log', body: 'h\u00e9' });
  assert.deepEqual(guest.logs, ['debug h\u00e9', 'info h\u00e9', 'warn h\u00e9', 'error h\u00e9']);
  const before = Date.now();
  const { now, random } = json({ target: '/host' }) as { now: number; random: number[] };
  assert.ok(now >= before && now <= Date.now());
  assert.equal(random.length, 64);
  assert.ok(new Set(random).size > 1);
});

test('What traps says why in the log first, with the place in the source', () => {
  for (const [target, body, expected] of [
    ['/throw', 'really', /^error no good: really \(sdk\.ts:\d+:\d+\)$/],
    ['/index', 'too long', /^error Index out of range/],
    ['/misuse', '', /^error JSON\.Writer: a member needs an open object/],
  ] as const) {
    assert.throws(() => post(target, body), WebAssembly.RuntimeError);
    assert.match(guest.logs.join('\n'), expected);
  }
});

test('Query parameters are those of URLSearchParams', () => {
  const piece = fc.string({
    unit: fc.constantFrom('a', 'b', '%', '4', '1', 'z', '+', '&', '=', '%C3%A4', '%ff'),
    maxLength: 12,
  });
  fc.assert(
    fc.property(piece, fc.constantFrom('a', 'b', 'A', 'ä', 'ab', 'a b'), (query, name) => {
      const expected = new URLSearchParams(query).get(name) ?? '(none)';
      assert.equal(text({ target: `/query?${query}`, body: name }), expected);
    }),
    { numRuns: 2000 },
  );
});

test('Text is decoded as TextDecoder does, malformed sequences included', () => {
  const bytes = fc.array(
    fc.constantFrom(
      0x41,
      0x80,
      0xbf,
      0xc2,
      0xc1,
      0xe0,
      0xa0,
      0xed,
      0x9f,
      0xef,
      0xf0,
      0x90,
      0xf4,
      0x8f,
      0xf5,
      0xff,
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(bytes, (units) => {
      const body = Uint8Array.from(units);
      assert.equal(
        text({ target: '/text', body }),
        new TextDecoder('utf-8', { ignoreBOM: true }).decode(body),
      );
    }),
    { numRuns: 3000 },
  );
});

/** The JSON that the guest makes of this JSON. */
function copied(source: string | Uint8Array): unknown {
  const response = post('/json', source);
  assert.equal(response.status, 200, response.body.toString());
  return (JSON.parse(response.body.toString()) as unknown[])[0];
}

test('JSON goes round: read by the guest, written by the guest, read by JavaScript', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ stringUnit: 'binary', maxDepth: 6 }),
      fc.constantFrom(0, 1, '\t'),
      (value, space) => {
        // −0 is written as 0 by JSON.stringify already.
        assert.deepEqual(copied(JSON.stringify(value, null, space)), JSON.parse(JSON.stringify(value)));
      },
    ),
    { numRuns: 2000 },
  );
});

test('Strings go round whatever is in them, lone surrogates included', () => {
  const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 600 }), (value) =>
      assert.equal(copied(JSON.stringify(value)), value),
    ),
    { numRuns: 500 },
  );
});

test('Short texts and names of every length, with something special at every place', () => {
  for (let length = 0; length <= 34; length++) {
    const plain = 'abcdefghijklmnopqrstuvwxyzABCDEFGH'.slice(0, length);
    const places = Array.from({ length }, (_, at) => at);
    const texts = places.flatMap((at) =>
      ['"', '\\', '\u001f', '\u007f', 'é', '語', '\ud83d', '😀'].map(
        (special) => plain.slice(0, at) + special + plain.slice(at + 1),
      ),
    );
    const all = [plain, ...texts];
    assert.deepEqual(copied(JSON.stringify(all)), all);
    const object = Object.fromEntries(all.map((text, at) => [text, at]));
    assert.deepEqual(copied(JSON.stringify(object)), object);
    for (const [at, text] of all.entries()) {
      if (!text.isWellFormed()) continue; // a query cannot say it
      const found = json({ target: `/member?a=${encodeURIComponent(text)}`, body: JSON.stringify(object) });
      assert.equal((found as { integer: number }).integer, at, JSON.stringify(text));
    }
  }
});

test('Whole numbers are written as they are, short ones too', () => {
  const numbers = Array.from({ length: 10_300 }, (_, number) => number - 150);
  assert.deepEqual(copied(JSON.stringify(numbers)), numbers);
});

test('Wherever a text ends in its buffer, all open brackets find room behind it', () => {
  for (let length = 700; length < 1100; length++) {
    const source = `${'[{"a":'.repeat(31)}"${'x'.repeat(length)}"${'}]'.repeat(31)}`;
    assert.deepEqual(copied(source), JSON.parse(source));
  }
});

test('Of members with one name the last counts, and names are compared unescaped', () => {
  assert.deepEqual(json({ target: '/member?a=a', body: '{"a":1,"\\u0061":2}' }), {
    kind: 5,
    value: 2,
    length: 0,
    missing: false,
    equals: false,
    integer: 2,
    number: 2,
    string: 'fallback',
  });
});

test('Looking for what is not there gives a missing value, never a trap', () => {
  const missing = {
    kind: 0,
    value: null,
    length: 0,
    missing: true,
    equals: false,
    integer: -1,
    number: -1,
    string: 'fallback',
  };
  for (const [target, body] of [
    ['/member?a=x', '{}'],
    ['/member?a=x', '[]'],
    ['/member?a=x', '"x"'],
    ['/member?a=x', 'not json'],
    ['/member?a=x', ''],
    ['/member?i=0', '{"0":1}'],
    ['/member?i=0', '[]'],
    ['/member?i=2', '[1,2]'],
    ['/member?i=-1', '[1,2]'],
    ['/member?a=x&i=1', '{"y":[1,2],"x":[1]}'],
  ] as const) {
    assert.deepEqual(json({ target, body }), missing, `${target} ${body}`);
  }
});

test('A value is reached through what stands before it', () => {
  const body = '{"z":{"x":[[],{}]},"x":[{"x":0},[1,2],"lamp"],"y":null}';
  const read = json({ target: '/member?a=x&i=2', body }) as Record<string, unknown>;
  assert.deepEqual([read['value'], read['equals'], read['string']], ['lamp', true, 'lamp']);
  assert.equal((json({ target: '/member?a=x', body }) as Record<string, unknown>)['length'], 3);
  assert.equal((json({ target: '/member', body }) as Record<string, unknown>)['length'], 3);
});

test('A part of JSON can be answered as it is', () => {
  assert.equal(text({ target: '/source', body: ' {"a": [1 ,2]} ' }), '{"a": [1 ,2]}');
  assert.equal(text({ target: '/source', body: ' "\\u0041" ' }), '"\\u0041"');
});

function fitsI64(source: string): boolean {
  return /^-?\d+$/.test(source) && BigInt.asIntN(64, BigInt(source)) === BigInt(source);
}

test('Integers are exact over 64 bits and nothing else is an integer', () => {
  const near = fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String);
  const edge = fc.tuple(
    fc.constantFrom(2n ** 63n, -(2n ** 63n), 10n ** 18n, 10n ** 19n, 0n),
    fc.bigInt(-2n, 2n),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        near,
        edge.map(([a, b]) => String(a + b)),
        fc.constantFrom('-0', '1.0', '1e2'),
      ),
      (source) => {
        const expected = fitsI64(source) ? String(BigInt(source)) : 'no integer';
        assert.equal(text({ target: '/integer', body: source }), expected);
      },
    ),
    { numRuns: 1000 },
  );
});

/** The exact middle between a double and its upper neighbour, and what lies just beside it. */
const halfway = fc
  .tuple(
    fc.bigInt({ min: 1n, max: 2n ** 53n - 1n }),
    fc.integer({ min: -1075, max: 970 }),
    fc.constantFrom('', '0001', '0'.repeat(900) + '1'),
  )
  .map(([significand, exponent, tail]) => {
    const middle = 2n * significand + 1n;
    if (exponent >= 0) return `${middle << BigInt(exponent)}.0${tail}`;
    const digits = (middle * 5n ** BigInt(-exponent)).toString().padStart(1 - exponent, '0');
    return `${digits.slice(0, exponent)}.${digits.slice(exponent)}${tail}`;
  });

test('Numbers become the nearest double', () => {
  const decimal = fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 25n }), fc.nat(25), fc.integer({ min: -345, max: 330 }))
    .map(([digits, scale, exponent]) => `${digits}.${scale}e${exponent}`);
  const known = fc.constantFrom(
    '2.2250738585072011e-308',
    '2.2250738585072014e-308',
    '1.7976931348623157e308',
    '1.7976931348623159e308',
    '4.9406564584124654e-324',
    '2.4703282292062327e-324',
    '2.4703282292062328e-324',
    '9007199254740993',
    '9007199254740992.999999999999999999999',
    '0.1',
    '1e23',
    '8.5e22',
    '-0.0',
    '-1e-400',
    `1${'0'.repeat(400)}e-400`,
    `0.${'0'.repeat(400)}1e401`,
    '1e99999999999999999999',
    '1e-99999999999999999999',
    `${'9'.repeat(2000)}e-1990`,
  );
  const double = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value));
  fc.assert(
    fc.property(fc.oneof(double, decimal, known, halfway), (source) => {
      const expected = Number(source);
      const seen = copied(source);
      // Neither −0 nor the infinities have a text of their own in JSON.stringify.
      assert.equal(seen, Number.isFinite(expected) ? expected + 0 : null, source);
    }),
    { numRuns: 3000 },
  );
});

const isJson = (source: string): boolean => {
  try {
    JSON.parse(source);
    return true;
  } catch {
    return false;
  }
};

test('Malformed JSON is refused with what is wrong and where', () => {
  for (const [source, detail] of [
    ['', 'Unexpected end of JSON at byte 0'],
    ['{"a" 1}', "Expected ':' at byte 5"],
    ['[1,]', 'Expected a value at byte 3'],
    ['{"a":1,}', 'Expected a member name in double quotes at byte 7'],
    ['[1 2]', "Expected ',' or the end of the array or object at byte 3"],
    ['{"a":1]', "Expected ',' or the end of the array or object at byte 6"],
    ['1 1', 'Unexpected text after the value at byte 2'],
    ['01', 'Malformed number at byte 2'],
    ['"\\x"', 'Malformed escape in a string at byte 2'],
    ['"\n"', 'Unescaped control character in a string at byte 1'],
    [`${'['.repeat(129)}`, 'Nested too deeply at byte 128'],
  ] as const) {
    const response = post('/json', source);
    assert.equal(response.status, 400, source);
    assert.equal((JSON.parse(response.body.toString()) as { detail: string }).detail, detail, source);
  }
});

/** A number as JSON can write it again: −0 loses its sign, and what was too large for a double (1e500) becomes null. */
function writable(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return null;
  return Object.is(value, -0) ? 0 : value;
}

test('What is JSON is exactly what JavaScript says, for hostile text', () => {
  const pieces = [
    '[',
    ']',
    '{',
    '}',
    ',',
    ':',
    ' ',
    '\t',
    '\r',
    '\n',
    '\f',
    '\u00a0',
    '\ufeff',
    '"',
    '""',
    '"a"',
    '"\\"',
    '\\',
    '\\u',
    '\\u0',
    '\\ud800',
    '\\uDC00"',
    '"\\u00e"',
    '"\\/"',
    '"\\a"',
    '"\u0000"',
    '"\u001f"',
    '"\u007f"',
    '"\u2028"',
    "'a'",
    '/**/',
    '//',
    '#',
    '-',
    '+',
    '0',
    '-0',
    '00',
    '1',
    '-01',
    '.',
    '.5',
    '5.',
    '1.5',
    'e',
    'E',
    '1e',
    '1e+',
    '1e5',
    '1E-5',
    '0e1',
    '0x1',
    'NaN',
    'Infinity',
    '-Infinity',
    'true',
    'false',
    'null',
    'tru',
    'truee',
    'nul',
    'True',
    'undefined',
    '"a":1',
    '{"a":1}',
    '[1]',
    '{"a":1,"a":2}',
    '[[]]',
    '{}',
    '[]',
    '1,',
    ',1',
    '"a":',
    '$',
    '\u0000',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 7 }), (parts) => {
      const source = parts.join('');
      const expected = isJson(source);
      const response = post('/json', source);
      assert.equal(response.status === 200, expected, JSON.stringify(source));
      if (expected)
        assert.deepEqual(
          copied(source),
          JSON.parse(source, (_, value) => writable(value)),
        );
    }),
    { numRuns: 8000, examples: [[['1e5', '00']]] },
  );
});

test('JSON that is cut off or changed in one byte is judged as JavaScript judges it', () => {
  const change = fc.tuple(
    fc.jsonValue({ maxDepth: 3 }),
    fc.nat(),
    fc.integer({ min: 0, max: 127 }),
    fc.boolean(),
  );
  fc.assert(
    fc.property(change, ([value, at, byte, cut]) => {
      const bytes = Buffer.from(JSON.stringify(value));
      const place = at % bytes.length;
      const source = cut ? bytes.subarray(0, place) : bytes;
      if (!cut) bytes[place] = byte;
      // A change inside a longer character makes malformed UTF-8, which JavaScript never sees.
      fc.pre(Buffer.from(source.toString()).equals(source));
      assert.equal(post('/json', source).status === 200, isJson(source.toString()), source.toString());
    }),
    { numRuns: 4000 },
  );
});

test('Malformed UTF-8 inside a string is refused', () => {
  for (const bytes of [
    [0x80],
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xe2, 0x82],
    [0xff],
  ]) {
    const response = post('/json', Buffer.from([0x22, ...bytes, 0x22]));
    assert.match(response.body.toString(), /Malformed UTF-8 in a string at byte 1/);
  }
});

function nested(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`;
}

test('Depth: 128 is read, by the parser that does not recurse; deeper and very deep text is refused', () => {
  assert.equal(post('/member', nested(128)).status, 200);
  for (const depth of [129, 100_000])
    assert.match(text({ target: '/json', body: nested(depth) }), /Nested too deeply/);
});

test('Large documents are read in time and memory that grow with their length', () => {
  const large = Array.from({ length: 20_000 }, (_, i) => ({ id: i, name: `n${i}` }));
  assert.deepEqual(copied(JSON.stringify(large)), large);
});
