import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { POST } from '../../model/method.ts';
import { cgiRequest } from './cgi-request.ts';
import { cgiResponse } from './cgi-response.ts';

/** A request frame with everything in order; the layout is docs/reference/guest-abi.md's. */
function frame(path: string, query: string, headers: [string, string][], body: string, user = ''): Buffer {
  const parts: Buffer[] = [];
  let at = 40 + headers.length * 16;
  const add = (text: string) => {
    const bytes = Buffer.from(text, 'latin1');
    parts.push(bytes);
    at += bytes.length;
    return [at - bytes.length, bytes.length] as const;
  };
  const head = Buffer.alloc(40 + headers.length * 16);
  head[0] = 1;
  head[1] = POST;
  head.writeUInt16LE(headers.length, 2);
  const put = (offset: number, [start, length]: readonly [number, number]) => {
    head.writeUInt32LE(start, offset);
    head.writeUInt32LE(length, offset + 4);
  };
  put(4, add(path));
  put(12, add(query));
  headers.forEach(([name, value], index) => {
    put(40 + index * 16, add(name));
    put(48 + index * 16, add(value));
  });
  put(20, add(user));
  put(28, add(body));
  return Buffer.concat([head, ...parts]);
}

function environment(buffer: Buffer): Record<string, string> {
  const { environment: list } = cgiRequest(buffer, { GREETING: 'hi' });
  return Object.fromEntries(list.map((bytes) => bytes.toString('latin1').split(/=(.*)/s, 2)));
}

test('a frame becomes the meta-variables of RFC 3875', () => {
  const env = environment(
    frame(
      '/a%20b',
      'x=1',
      [
        ['Host', 'shop.example:8443'],
        ['Content-Type', 'text/plain'],
        ['X-Tag', 'a'],
        ['x-tag', 'b'],
      ],
      'body',
      '{"sub":"u1"}',
    ),
  );
  assert.equal(env.REQUEST_METHOD, 'POST');
  assert.equal(env.PATH_INFO, '/a b');
  assert.equal(env.QUERY_STRING, 'x=1');
  assert.equal(env.SERVER_NAME, 'shop.example');
  assert.equal(env.SERVER_PORT, '8443');
  assert.equal(env.CONTENT_LENGTH, '4');
  assert.equal(env.CONTENT_TYPE, 'text/plain');
  assert.equal(env.HTTP_X_TAG, 'a, b');
  assert.equal(env.REMOTE_USER, 'u1');
  assert.equal(env.GREETING, 'hi');
});

test('header fields cannot forge variables: no HTTP_PROXY, no underscores, no NUL', () => {
  const env = environment(
    frame(
      '/%00x',
      '',
      [
        ['Proxy', 'http://evil'],
        ['X_Tag', 'forged'],
      ],
      '',
    ),
  );
  assert.equal(env.HTTP_PROXY, undefined);
  assert.equal(env.HTTP_X_TAG, undefined);
  assert.equal(env.PATH_INFO, undefined);
});

test('the path is decoded byte by byte, the query is left as it is', () => {
  const env = environment(frame('/caf%C3%A9%0D%0Ax%ff', 'a=%20', [], ''));
  assert.equal(env.PATH_INFO, '/caf\xc3\xa9\r\nx\xff');
  assert.equal(env.QUERY_STRING, 'a=%20');
});

test("a header field cannot replace what the function's env says", () => {
  const { environment: list } = cgiRequest(frame('/', '', [['Backend', 'evil']], ''), {
    HTTP_BACKEND: 'good',
  });
  const values = list.map((bytes) => bytes.toString('latin1')).filter((text) => text.startsWith('HTTP_'));
  assert.deepEqual(values, ['HTTP_BACKEND=good']);
});

test('the credential of a caller who is signed in is withheld, of others it is passed on', () => {
  const headers: [string, string][] = [['Authorization', 'Bearer x']];
  assert.equal(environment(frame('/', '', headers, '', '{"sub":"u1"}')).HTTP_AUTHORIZATION, undefined);
  assert.equal(environment(frame('/', '', headers, '')).HTTP_AUTHORIZATION, 'Bearer x');
});

const parse = (text: string) => {
  const bytes = Buffer.from(text, 'latin1');
  return cgiResponse(bytes, bytes.length);
};

test('CGI responses: status, redirects, both line ends', () => {
  const found = parse('Status: 404 Not Found\nContent-Type: text/plain\n\nno');
  assert.equal(found?.status, 404);
  assert.equal(found?.headers.toString(), 'Content-Type: text/plain\r\n');
  assert.equal(parse('Location: /x\r\n\r\n')?.status, 302);
  assert.equal(parse('Content-Type: a/b\r\n\r\nbody')?.status, 200);
  assert.equal(parse('Content-Length: 99\n\nbody')?.headers.length, 0, "the length is the gateway's to say");
});

test('a value keeps every byte but the space around it', () => {
  assert.equal(
    parse('X-Name: \t voil\xc3\xa0 \t\n\n')?.headers.toString('latin1'),
    'X-Name: voil\xc3\xa0\r\n',
  );
});

test('a head beyond 32 KiB or 128 fields is refused', () => {
  assert.equal(parse(`A: ${'x'.repeat(32_768)}\n\n`), null);
  assert.equal(parse(`${'A: b\n'.repeat(129)}\n`), null);
  assert.notEqual(parse(`${'A: b\n'.repeat(128)}\n`), null);
});

test('what is not a CGI response is refused', () => {
  for (const text of [
    '',
    'hello world',
    'no-colon\n\n',
    ': x\n\n',
    'Status: 999\n\n',
    'Status: abc\n\n',
    'A b: c\n\n',
    'A: b\u0001\n\n',
    'A: b\n',
    'A: b\r\r\n\n',
    'A: b\rC: d\n\n',
    'A: b\0\n\n',
    'Status: 200\r\n',
  ]) {
    assert.equal(parse(text), null, JSON.stringify(text));
  }
});

test('fuzz: any output is either refused or gives header lines that cannot split', () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom('a', ':', ' ', '\n', '\r', '\0', 'S', 'tatus: 200', '\t'),
        maxLength: 60,
      }),
      (text) => {
        const response = parse(text);
        if (response === null) return;
        assert.match(response.headers.toString('latin1'), /^(?:[^\r\n\0]+\r\n)*$/);
        assert.ok(response.status >= 200 && response.status < 600);
      },
    ),
    { numRuns: 2000 },
  );
});

test("the function's own values reach the program as UTF-8", () => {
  const { environment: list } = cgiRequest(frame('/', '', [], ''), { PRICE: '5 € für Grüße' });
  assert.ok(list.some((bytes) => bytes.equals(Buffer.from('PRICE=5 € für Grüße'))));
});
