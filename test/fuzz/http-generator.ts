import { corpus } from './http-corpus.ts';
import type { Random } from './random.ts';

/**
 * Byte streams for the HTTP fuzzer: requests from a grammar that likes the edges, tricks of the corpus spliced into
 * each other, then a few bytes changed. Most streams stay nearly right, since only those get deep into a parser.
 */
export interface Stream {
  readonly bytes: Buffer;
  /** Where to cut the stream into reads. */
  readonly cuts: readonly number[];
}

const methods = ['GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'];
const oddMethods = [
  'get',
  'CONNECT',
  'TRACE',
  'PRI',
  'G',
  'GETT',
  'PROPFIND',
  'M-SEARCH',
  'POST\t',
  '',
  'QUERY',
];
const targets = [
  '/',
  '/',
  '/a',
  '/a/b?c=d',
  '/api/function',
  '/api/orders?x=1&y=%20',
  '/a/',
  '/%41',
  '/index.html',
];
const oddTargets = [
  '*',
  '//',
  '/a//b',
  '/./a',
  '/a/../b',
  '/..',
  '/%2e%2e/',
  '/a/%2E',
  '/%2f',
  '/%5c',
  '/%00',
  '/%',
  '/%zz',
  '/%e2%82%ac',
  '/~%7e%7E',
  '/a?b?c',
  '/?',
  '/a#b',
  '/a?{"x"}',
  '/a?{x|y}',
  '/a\\b',
  'http://b/',
  'http://b',
  'http://b?x',
  'https://b:8/x?y',
  'HTTP://[::1]:80/',
  'http://u@b/',
  'http:///a',
  'ftp://b/',
  'b:80',
  'a',
  '',
  '/\x7f',
  '/\x80',
  '/a|b^c',
];
const versions = [
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1.',
  'HTTP/11',
  'HTTP/1.1 ',
  '',
];
const hosts = ['Host: a', 'host:a.example:80', 'HOST: [::1]', 'Host:\ta'];
const oddHosts = [
  '',
  'Host: ',
  'Host: a b',
  'Host: a/b',
  'Host: a:b',
  'Host: u@a',
  'Host: a\r\nHost: a',
  'Host : a',
];
const plain = [
  'X: y',
  'Accept: */*',
  'Content-Type: application/json',
  'Authorization: Bearer abc.def.ghi',
  'User-Agent: curl/8',
  'X-Empty:',
  'x-obs: \x80\xff',
  'Connection: keep-alive',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'Cookie: a=b; c="d"',
];
const odd = [
  'Connection: close',
  'Connection: close, x',
  'Connection: Upgrade\r\nUpgrade: websocket',
  'Connection: ,',
  'Connection: a b',
  'Proxy-Connection: close',
  'Keep-Alive: timeout=5',
  'Expect: 100-continue',
  'Expect: 100-Continue',
  'Expect: x',
  'TE: trailers',
  'Trailer: X',
  'X: y\r\n z',
  ' X: y',
  'X : y',
  ': y',
  'X',
  'X: a\0b',
  'X: a\rb',
  'X: a\nb',
  'X: a\x7fb',
  'X[: y',
  'X\x80: y',
  'Content-Type: a\r\nContent-Type: b',
  'Authorization: a\r\nauthorization: b',
  'X-Request-Id: 1',
  'Idempotency-Key: k',
];
const codings = [
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding:chunked',
  'Transfer-Encoding: \tchunked',
  'Transfer-Encoding: chunked ',
  'Transfer-Encoding: chunked\t',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nContent-Length: 5',
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:\r\n chunked',
  'Transfer_Encoding: chunked',
  'Transfer-Encoding: ',
  'Transfer-Encoding: \x0bchunked',
  'Transfer-Encoding: chunked;q=1',
];
const lengths = [
  '+5',
  '-5',
  '0x5',
  '5 ',
  ' 5',
  '5\t',
  '\t5',
  '05',
  '5,5',
  '5, 6',
  '1_0',
  '5 5',
  '',
  '99999999999999999999',
  '5a',
  '0',
  '1000001',
];
const sizes = [
  '0x1',
  '+1',
  '-1',
  ' 1',
  '1 ',
  '01',
  '1;a',
  '1;a=b',
  '1;a="b"',
  '1; a',
  '1;',
  '1;a b',
  '1\t',
  'g',
  '',
  '1_0',
  'FFFFFFFFFFFFFFFFF',
  '1;a;b=c',
];
const lineEnds = ['\n', '\r', '\r\r\n', '\n\r', '\r\n\r\n', '', ' \r\n', '\r\n '];
const trailers = [
  'X: y',
  'X:',
  'Content-Length: 5',
  'Host: b',
  'Transfer-Encoding: chunked',
  'Connection: close',
  'X',
  ' X: y',
  'X : y',
  'X-A: \x80',
];
const bytesToInsert = '\r\n\t :;,0159aAfFxX%/?#*"\\[]{}|\0\x01\x0b\x0c\x1f\x7f\x80\xa0\xff+-._=';
const data = 'hello, world: {"sku":"A-1001"}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

export function stream(random: Random): Stream {
  let text = '';
  const kind = random.below(8);
  if (kind === 0) text = splice(random);
  const count = 1 + (random.oneIn(3) ? random.below(3) : 0);
  for (let i = 0; i < count; i++) text += request(random);
  if (kind === 1) text += random.pick(corpus).bytes;
  if (text.length > 20_000) text = text.slice(0, 20_000);
  if (!random.oneIn(3)) text = mutated(text, random);
  const bytes = Buffer.from(text, 'latin1');
  return { bytes, cuts: cutsOf(bytes.length, random) };
}

function splice(random: Random): string {
  const a = random.pick(corpus).bytes;
  const b = random.pick(corpus).bytes;
  // The few endless ones would be all that there is time for.
  if (a.length > 2000 || b.length > 2000) return '';
  return a.slice(0, random.below(a.length + 1)) + b.slice(random.below(b.length + 1));
}

function request(random: Random): string {
  const crlf = random.oneIn(40) ? random.pick(lineEnds) : '\r\n';
  const method = random.oneIn(30) ? random.pick(oddMethods) : random.pick(methods);
  const target = random.oneIn(4) ? random.pick(oddTargets) : random.pick(targets);
  const version = random.oneIn(25) ? random.pick(versions) : 'HTTP/1.1';
  let text = `${method} ${target} ${version}${crlf}`;
  if (random.oneIn(60)) text = random.pick(lineEnds) + text;
  text += `${random.oneIn(25) ? random.pick(oddHosts) : random.pick(hosts)}\r\n`;
  for (let i = random.below(4); i > 0; i--)
    text += `${random.oneIn(10) ? random.pick(odd) : random.pick(plain)}\r\n`;
  return text + framed(random);
}

/** Framing fields, the empty line and a body that mostly fits. */
function framed(random: Random): string {
  const end = random.oneIn(50) ? random.pick(lineEnds) : '\r\n';
  const start = random.below(data.length);
  const body = data.slice(start, start + random.below(40));
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      return `\r\n`;
    case 3:
      return `Content-Length: ${body.length}\r\n${end}${body}`;
    case 4:
      return `Content-Length: ${random.pick(lengths)}\r\n${end}hello`;
    case 5:
      return `${random.pick(codings)}\r\n${end}${chunks(random)}`;
    default:
      return `Transfer-Encoding: chunked\r\n${end}${chunks(random)}`;
  }
}

function chunks(random: Random): string {
  let text = '';
  for (let i = random.below(3); i > 0; i--) {
    const crlf = random.oneIn(30) ? random.pick(lineEnds) : '\r\n';
    const afterData = random.oneIn(30) ? random.pick(lineEnds) : '\r\n';
    if (random.oneIn(10)) {
      text += `${random.pick(sizes)}${crlf}x${afterData}`;
    } else {
      const start = random.below(data.length);
      const chunk = data.slice(start, start + 1 + random.below(30));
      text += `${chunk.length.toString(16)}${crlf}${chunk}${afterData}`;
    }
  }
  text += random.oneIn(30) ? random.pick(sizes) : '0';
  text += random.oneIn(30) ? random.pick(lineEnds) : '\r\n';
  if (random.oneIn(6)) text += `${random.pick(trailers)}\r\n`;
  return text + (random.oneIn(30) ? random.pick(lineEnds) : '\r\n');
}

function mutated(text: string, random: Random): string {
  let result = text;
  for (let i = 1 + random.below(3); i > 0; i--) {
    const at = random.below(result.length + 1);
    const byte = bytesToInsert[random.below(bytesToInsert.length)];
    switch (random.below(5)) {
      case 0:
        result = result.slice(0, at) + byte + result.slice(at);
        break;
      case 1:
        result = result.slice(0, at) + byte + result.slice(at + 1);
        break;
      case 2:
        result = result.slice(0, at) + result.slice(at + 1 + random.below(3));
        break;
      case 3: {
        const from = random.below(result.length + 1);
        result = result.slice(0, at) + result.slice(from, from + random.below(20)) + result.slice(at);
        break;
      }
      default:
        if (random.oneIn(4)) result = result.slice(0, at);
    }
  }
  return result;
}

const none: readonly number[] = [];

function cutsOf(length: number, random: Random): readonly number[] {
  if (length < 2 || random.oneIn(2)) return none;
  const first = 1 + random.below(length - 1);
  if (random.oneIn(2)) return [first];
  const second = 1 + random.below(length - 1);
  return first < second ? [first, second] : [second, first];
}
