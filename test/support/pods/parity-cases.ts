/** Requests that gateway and pods must answer alike, byte for byte. */
import { corpus } from '../../fuzz/http-corpus.ts';
import { script, type Step } from '../wagi-script.ts';
import type { GuestName } from './parity-guests.ts';

export interface ParityCase {
  readonly guest: GuestName;
  readonly name: string;
  /** What is sent, piece by piece. The last request asks to close. */
  readonly pieces: readonly Buffer[];
}

interface RequestParts {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
  readonly chunked?: boolean;
  readonly version?: string;
  readonly keep?: boolean;
}

function requestBytes(guest: GuestName, parts: RequestParts): Buffer {
  const {
    method = 'GET',
    target = '/',
    headers = [],
    chunked = false,
    version = '1.1',
    keep = false,
  } = parts;
  const body = parts.body === undefined ? null : Buffer.from(parts.body);
  const lines = [`${method} ${target} HTTP/${version}`, `Host: ${guest}.test`, ...headers];
  if (!keep) lines.push('Connection: close');
  if (body !== null) lines.push(chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`);
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (body === null) return head;
  return Buffer.concat([head, chunked ? chunksOf(body) : body]);
}

function chunksOf(body: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0, size = 1; at < body.length; at += size, size = size * 3 + 1) {
    const data = body.subarray(at, at + size);
    chunks.push(
      Buffer.from(`${data.length.toString(16)}${at === 0 ? ';note=x' : ''}\r\n`),
      data,
      Buffer.from('\r\n'),
    );
  }
  return Buffer.concat([...chunks, Buffer.from('0\r\nX-Trailer: ignored\r\n\r\n')]);
}

const one = (guest: GuestName, parts: RequestParts, name?: string): ParityCase => ({
  guest,
  name: name ?? `${parts.method ?? 'GET'} ${parts.target ?? '/'} ${String(parts.body ?? '').slice(0, 40)}`,
  pieces: [requestBytes(guest, parts)],
});

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

function* methodsAndPaths(): Generator<ParityCase> {
  for (const method of METHODS) {
    for (const target of [
      '/about',
      '/about?a=1&b=%20',
      '/empty',
      '/headers',
      '/nowhere',
      '/health',
      '/ready',
    ])
      yield one('sdk', { method, target });
    for (const target of ['/api/function', '/api/status', '/api/', '/api/x/y', '/api', '/', '/other'])
      yield one('shop', { method, target });
    yield one('greeter', { method, target: '/a/b', headers: ['X-Tag: tag'], body: 'body' });
    yield one('ledger', { method, target: '/a%20b', headers: ['x-TAG: tag', 'X-Tag: other'], body: 'a 1' });
    yield one('hostile', { method, target: '/c' });
    yield one('shipping', { method, target: '/shipping?country=DE&grams=1' });
  }
}

function* bodies(): Generator<ParityCase> {
  const sizes = [
    0, 1, 15, 16, 17, 1000, 32_767, 32_768, 32_769, 59_999, 60_000, 60_001, 99_999, 100_000, 100_001,
  ];
  for (const size of sizes) {
    const body = Buffer.from(Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
    for (const chunked of [false, true]) {
      yield one(
        'sdk',
        { method: 'POST', target: '/echo', body, chunked },
        `echo of ${size}, chunked ${chunked}`,
      );
      yield one('greeter', { method: 'PUT', target: '/x', body, chunked }, `C: ${size}, chunked ${chunked}`);
    }
  }
  for (const body of JSON_TEXTS) yield one('sdk', { method: 'POST', target: '/json', body });
  for (const target of ['/text', '/integer', '/source', '/member?a=a&i=1', '/query', '/config', '/log'])
    for (const body of ['', 'GREETING', 'EMPTY', 'nope', '{"a":[1,"lamp"]}', '12', 'ä€😀'])
      yield one('sdk', { method: 'POST', target, body });
}

const JSON_TEXTS = [
  '{}',
  '[]',
  '0',
  '-0',
  '1e3',
  '1.5e-7',
  '123456789012345678',
  'true',
  'null',
  '"a"',
  '"\\u00e4\\n\\ud83d\\ude00"',
  '{"a":{"b":[1,2,{"c":null}]},"d":"x"}',
  '[[[[[[]]]]]]',
  '{"a":1,"a":2}',
  ' [ 1 , 2 ] ',
  '',
  '{',
  '[1,]',
  '{"a"}',
  '01',
  '1.',
  '"\\x"',
  '"\u0001"',
  'nul',
  '{"a":1}x',
  '\xff',
];

function* headers(): Generator<ParityCase> {
  const about = { target: '/header?name=x-a' };
  const lists = [
    ['X-A: one'],
    ['x-a: one', 'X-A: two'],
    ['X-A:'],
    ['X-A: \t spaced \t'],
    ['X-A: \xe4\xff'],
    ['X_A: underscore'],
    ['Connection: x-a', 'X-A: hop'],
    ['Connection: keep-alive, X-A', 'X-A: hop'],
    ['Keep-Alive: 5', 'TE: trailers'],
    ['X-Request-Id: my-id'],
    ['X-Request-Id: no spaces allowed'],
    ['X-Request-Id: '],
    [`X-Request-Id: ${'i'.repeat(128)}`],
    [`X-Request-Id: ${'i'.repeat(129)}`],
    ['Cookie: a=1', 'Cookie: b=2'],
    ['Expect: 100-continue'],
    ['Upgrade: h2c'],
    Array.from({ length: 98 }, (_, i) => `X-${i}: ${i}`),
    Array.from({ length: 99 }, (_, i) => `X-${i}: ${i}`),
    [`X-A: ${'v'.repeat(15_000)}`],
    [`X-A: ${'v'.repeat(17_000)}`],
    ['Authorization: Bearer nothing'],
  ];
  for (const list of lists) {
    yield one('sdk', { ...about, headers: list }, `header ${list.join(' | ').slice(0, 60)}`);
    yield one('sdk', {
      target: '/header?name=x-request-id',
      headers: ['X-Request-Id: fixed', ...list.slice(0, 1)],
    });
    const dump: Step[] = [['head'], ['environ', 40_000, 41_000], ['stdout', 41_000, 4000]];
    const run = { method: 'POST', target: '/a%20b/%C3%A4?q=1%20', body: script(...dump) };
    yield one('script', {
      ...run,
      headers: ['X-Request-Id: fixed', 'Proxy: evil', 'X-Mine: yours', ...withoutId(list)],
    });
  }
  yield one('sdk', { target: '/about', headers: ['X-A: 1'], version: '1.0' });
  yield one('sdk', { target: '/about', headers: ['Connection: keep-alive, close'], version: '1.0' });
}

const withoutId = (list: readonly string[]): string[] => list.filter((line) => !/^x-request-id/i.test(line));

function* paths(): Generator<ParityCase> {
  const targets = [
    '/%61bout',
    '/a/../about',
    '//about',
    '/./about',
    '/about/',
    '/%2e%2e/about',
    '/../about',
    '/%2f',
    '/%zz',
    '/%00',
    '/a%20b',
    '/%c3%a4',
    '/~%7e',
    '/about?',
    '/about??',
    '/about?a=%2f',
    '/health/',
    '/heal%74h',
    '/./ready',
    '/about?<',
    'http://sdk.test/about',
    'http://other.test/about',
    'https://SDK.test:99/about',
    `/${'a'.repeat(8191)}`,
    `/${'a'.repeat(8192)}`,
  ];
  for (const target of targets) {
    yield one('sdk', { target });
    if (/:\/\/sdk/i.test(target)) continue; // names the other function's host
    yield one('greeter', { target });
    yield one('script', {
      target,
      method: 'POST',
      body: script(['head'], ['environ', 40_000, 41_000], ['stdout', 41_000, 900]),
      headers: ['X-Request-Id: fixed'],
    });
  }
}

/** Rust's own strings, trees, numbers and panics, and a stack of its own in memory. */
function* rust(): Generator<ParityCase> {
  const many = Array.from({ length: 3000 }, (_, i) => `n${(i * 7919) % 501} ${(i % 13) - 6}`).join('\n');
  const sums = [
    '',
    'a 1',
    'b 2\na 1\r\nb -3\n\n',
    'ä 9223372036854775807',
    many,
    // These end in a panic:
    'a',
    'a b',
    'a 9223372036854775807\na 1',
    'a 99999999999999999999',
  ];
  for (const body of sums) yield one('ledger', { method: 'POST', target: '/sums', body });
  yield one(
    'ledger',
    { method: 'POST', target: '/sums', body: Buffer.from('ok 1\n\xff 2', 'latin1') },
    'no UTF-8',
  );
  for (const body of ['', '1', '0.1 0.2', '1e308 1e308', '5e-324', 'x', '-0', '1 2 3.5'])
    yield one('ledger', { method: 'POST', target: '/mean', body });
  for (const body of ['0', '1', '200', '1000000', 'x'])
    yield one('ledger', { method: 'POST', target: '/depth', body });
  yield one('ledger', { method: 'POST', target: '/index', body: 'abc' });
}

function* wagi(): Generator<ParityCase> {
  const queries = [
    '',
    '?country=DE&grams=1200&goods=4999',
    '?country=ch&grams=2500',
    '?country=US&grams=1',
    '?country=DE',
    '?country=DE&grams=0',
    '?country=DE&grams=30001',
    '?country=%zz',
    '?country=%46R&grams=1',
    '?a=1&a=2',
    '?country=FR&grams=1&goods=10000',
  ];
  for (const query of queries) yield one('shipping', { target: `/shipping${query}` });
  for (const [type, body] of [
    ['application/x-www-form-urlencoded', 'country=FR&grams=1&goods=10000'],
    ['application/json', '{ "country": "ch", "grams": 2500, "note": "\\"a\\n" }'],
    ['application/json', '{'],
    ['application/json', ''],
    ['application/json', '{"country":"CH","grams":[1]}'],
    ['text/plain', 'x'],
    ['application/json; charset=utf-8', '{"country":"DE","grams":1}'],
  ] as const)
    for (const chunked of [false, true])
      yield one('shipping', {
        method: 'POST',
        target: '/shipping',
        headers: [`Content-Type: ${type}`],
        body,
        chunked,
      });
  for (const steps of SCRIPTS)
    yield one(
      'script',
      { method: 'POST', body: script(...steps), headers: ['X-Request-Id: fixed'] },
      JSON.stringify(steps).slice(0, 80),
    );
}

const show: Step = ['stdout', 1000, 26];
const SCRIPTS: readonly (readonly Step[])[] = [
  [],
  [['head']],
  [['head'], show],
  [['head'], show, ['exit', 3], show],
  [show],
  [['exit', 0]],
  [['head'], show, ['trap']],
  [['head'], ['overflow']],
  [['loop']],
  [['head'], ['stdout', 0, 60_001]],
  [['head'], ['stdout', 0, 60_000]],
  [['head'], ['stdout', 0, 59_000], ['stdout', 0, 40_000], ['loop']],
  [['head'], ['store', 1000, 0x41414141], show],
  [['head'], ['grow', 1], ['fill', 200_000, 30_000], show],
  [['head'], show],
  [['head'], ['globals', 5, 6], ['table', 1, 0], ['growTable', 2, 0], show],
  [['head'], ['args', 3000, 3100], ['stdout', 3000, 120]],
  [['head'], ['fdstat', 3000, 0], ['stdout', 3000, 24]],
  [['head'], ['fdstat', 3000, 1], ['stdout', 3000, 24]],
  [['head'], ['fdstat', 3000, 7], ['stdout', 3000, 24]],
  [['head'], ['filestat', 3000, 2], ['stdout', 3000, 64]],
  [['head'], ['poll', 3000, 4000], ['stdout', 3000, 100], ['stdout', 4000, 100]],
  [['head'], ['random', 0xffff_fff0, 0x20], show],
  [['head'], ['environ', 0xffff_fffc, 0], show],
  [['head'], ['stdout', 0xffff_ffff, 10], show],
  [['head'], ['write', 0xffff_fff0, 1000], show],
  [['head'], ['write', 0, 0xffff_ffff], show],
  [['head'], ['read', 0xffff_fff0, 3], show],
  [['stderr', 1000, 26], ['head']],
  [['head'], ['dive', 100, 8000], show],
  [['stdout', 16, 22], show],
  [['stdout', 16, 12], ['stdout', 63, 1], show],
];

function* failures(): Generator<ParityCase> {
  for (const letter of 'cltsgobfhdpem') {
    yield one('hostile', { target: `/${letter}` });
    yield one('hostile', { target: '/c' }, `/c after /${letter}`);
  }
  for (const target of ['/throw', '/index', '/misuse'])
    for (const body of ['', 'a', 'abcd']) {
      yield one('sdk', { method: 'POST', target, body, headers: ['X-Request-Id: fixed'] });
      yield one('sdk', { target: '/about' });
    }
  for (const body of [
    '{',
    '{"sku":"mug-7","quantity":3}',
    '{"sku":"nope","quantity":1}',
    '{"sku":"mug-7","quantity":99999}',
    '{"sku":"mug-7","quantity":12,"coupon":"FLASH10"}',
    '{"sku":"mug-7","quantity":1,"coupon":"NO"}',
  ])
    yield one('shop', { method: 'POST', target: '/api/function', body });
}

function* streams(): Generator<ParityCase> {
  const several = (guest: GuestName, name: string, ...requests: Buffer[]): ParityCase => ({
    guest,
    name,
    pieces: [Buffer.concat(requests)],
  });
  const kept = (target: string, more: RequestParts = {}): Buffer =>
    requestBytes('sdk', { target, keep: true, ...more });
  const last = requestBytes('sdk', { target: '/about' });
  yield several(
    'sdk',
    'pipelined, small',
    kept('/about'),
    kept('/echo', { method: 'POST', body: 'x' }),
    kept('/empty'),
    last,
  );
  yield several('sdk', 'pipelined with HEAD', kept('/about', { method: 'HEAD' }), kept('/health'), last);
  yield several(
    'sdk',
    'pipelined, an error within',
    kept('/about'),
    Buffer.from('BREW / HTTP/1.1\r\n\r\n'),
    last,
  );
  yield several(
    'sdk',
    'pipelined, large',
    ...Array.from({ length: 20 }, (_, i) => kept('/echo', { method: 'POST', body: 'y'.repeat(i * 3000) })),
    last,
  );
  yield several(
    'sdk',
    'pipelined, chunked',
    kept('/echo', { method: 'POST', body: 'abc'.repeat(100), chunked: true }),
    last,
  );
  yield several('sdk', 'one hundred', ...Array.from({ length: 100 }, (_, i) => kept(`/about?${i}`)), last);
  yield several(
    'sdk',
    'HTTP/1.0 kept alive',
    requestBytes('sdk', {
      target: '/about',
      version: '1.0',
      keep: true,
      headers: ['Connection: keep-alive'],
    }),
    last,
  );
  for (const size of [1, 7, 64, 1000]) {
    const bytes = Buffer.concat([
      kept('/echo', { method: 'POST', body: 'z'.repeat(200), chunked: true }),
      last,
    ]);
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    yield { guest: 'sdk', name: `in pieces of ${size}`, pieces };
  }
}

/** The corpus of framing attacks over real sockets; those that wait for more would wait until a timeout. */
function* attacks(): Generator<ParityCase> {
  for (const { name, bytes, expected } of corpus) {
    if (expected.length === 0) continue;
    const closing = Buffer.from('GET /last HTTP/1.1\r\nHost: greeter.test\r\nConnection: close\r\n\r\n');
    const told = bytes.replaceAll('Host: a\r\n', 'Host: greeter.test\r\n');
    yield {
      guest: 'greeter',
      name: `attack: ${name}`,
      pieces: [Buffer.concat([Buffer.from(told, 'latin1'), closing])],
    };
  }
}

export const parityCases: readonly ParityCase[] = [
  ...methodsAndPaths(),
  ...bodies(),
  ...headers(),
  ...paths(),
  ...rust(),
  ...wagi(),
  ...failures(),
  ...streams(),
  ...attacks(),
];
