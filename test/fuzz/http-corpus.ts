/**
 * Every smuggling and framing trick that public research names, as raw bytes (one character a byte) and the status of
 * each answer that Mayfly gives: 200 for a request that it takes, else the refusal, after which it hangs up.
 * An entry without any status is incomplete: Mayfly waits for more.
 */
export interface Trick {
  readonly name: string;
  readonly source: string;
  readonly bytes: string;
  readonly expected: readonly number[];
}

const RFC_9112 = 'RFC 9112';
const RFC_9110 = 'RFC 9110';
const PROBE = 'Http11Probe (github.com/MDA2AV/Http11Probe)';
const KETTLE_2019 = 'PortSwigger, HTTP Desync Attacks (2019)';
const KETTLE_2022 = 'PortSwigger, Browser-Powered Desync Attacks (2022)';
const KETTLE_2025 = 'PortSwigger, HTTP/1.1 Must Die (2025)';
const FUNKY = 'Funky chunks: ambiguous chunk line terminators (w4ke.info, 2025)';

const next = 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n';

/** A POST with these header lines, this body, and a request right behind it. */
function post(fields: string, body: string): string {
  return `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}${next}`;
}

function chunked(body: string): string {
  return post('Transfer-Encoding: chunked', body);
}

function get(fields: string, target = '/', version = 'HTTP/1.1'): string {
  return `GET ${target} ${version}\r\n${fields}\r\n\r\n`;
}

const ok = [200];
const both = [200, 200];
const bad = [400];
const codingUnknown = [501];

function tricks(source: string, expected: readonly number[], byName: Record<string, string>): Trick[] {
  return Object.entries(byName).map(([name, bytes]) => ({ name, source, bytes, expected }));
}

const contentLengths = [
  ...tricks(PROBE, bad, {
    'duplicate content-length, different': post('Content-Length: 5\r\nContent-Length: 10', 'helloworld'),
    'duplicate content-length, equal': post('Content-Length: 5\r\nContent-Length: 5', 'hello'),
    'content-length list, different': post('Content-Length: 5, 10', 'helloworld'),
    'content-length list, equal': post('Content-Length: 5, 5', 'hello'),
    'content-length list of three': post('Content-Length: 5,5,5', 'hello'),
    'content-length negative': post('Content-Length: -1', ''),
    'content-length negative zero': post('Content-Length: -0', ''),
    'content-length octal prefix': post('Content-Length: 0o5', 'hello'),
    'content-length hexadecimal prefix': post('Content-Length: 0x5', 'hello'),
    'content-length with a space inside': post('Content-Length: 1 0', 'hello12345'),
    'content-length with an underscore': post('Content-Length: 1_0', 'helloworld'),
    'content-length not numeric': post('Content-Length: 5x', 'hello'),
    'content-length with a trailing space': post('Content-Length: 5 ', 'hello'),
    'content-length with a trailing tab': post('Content-Length: 5\t', 'hello'),
    'content-length empty': post('Content-Length: ', ''),
    'smuggled get behind duplicate content-length': post('Content-Length: 4\r\nContent-Length: 40', 'PING'),
  }),
  ...tricks(PROBE, [413], {
    'content-length overflows 64 bits': post('Content-Length: 99999999999999999999999999', ''),
    'content-length 2^64 + 5 wraps to 5': post('Content-Length: 18446744073709551621', 'hello'),
  }),
  ...tricks(PROBE, both, {
    'content-length leading zeros are decimal': post('Content-Length: 005', 'hello'),
    'content-length 010 is ten, not eight': post('Content-Length: 010', 'helloworld'),
    'content-length double zero': post('Content-Length: 00', ''),
    'content-length white space in front': post('Content-Length: \t 5', 'hello'),
    'get with a body': `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${next}`,
    'head with a body': `HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${next}`,
    'options with a body': `OPTIONS / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${next}`,
    'pipelining is safe': next + next,
  }),
  ...tricks('CVE-2018-7159 (http_parser)', bad, { 'content-length 1 2': post('Content-Length: 1 2', 'x') }),
  ...tricks('GHSA-6jwc-qr2q-7xwj (protocol-http1), CVE-2021-32715 (hyper)', bad, {
    'content-length with a plus': post('Content-Length: +5', 'hello'),
  }),
  ...tricks(KETTLE_2022, [200, 501], {
    'CL.0: content-length 0 and a body all the same': post('Content-Length: 0', 'X \r\n'),
  }),
];

const codings = [
  ...tricks(KETTLE_2019, bad, {
    'CL.TE': post('Content-Length: 6\r\nTransfer-Encoding: chunked', '0\r\n\r\nG'),
    'TE.CL': post('Transfer-Encoding: chunked\r\nContent-Length: 3', '8\r\nSMUGGLED\r\n0\r\n\r\n'),
    'TE.TE: xchunked': post('Transfer-Encoding: xchunked', '0\r\n\r\n'),
    'TE.TE: space before the colon': post('Transfer-Encoding : chunked', '0\r\n\r\n'),
    'TE.TE: chunked, then x': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: x', '0\r\n\r\n'),
    'TE.TE: x, then chunked': post('Transfer-Encoding: x\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    'TE.TE: leading space in the line': post(' Transfer-Encoding: chunked', '0\r\n\r\n'),
    'TE.TE: hidden behind a bare LF': post('X: X\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    'TE.TE: folded name': post('Transfer-Encoding\r\n: chunked', '0\r\n\r\n'),
    'TE.TE: folded value': post('Transfer-Encoding:\r\n chunked', '0\r\n\r\n'),
    'TE.TE: cow': post('Transfer-Encoding: cow', '0\r\n\r\n'),
    'TE.TE: quoted': post('Transfer-Encoding: "chunked"', '0\r\n\r\n'),
    'TE.TE: single quotes': post("Transfer-Encoding: 'chunked'", '0\r\n\r\n'),
    'TE.TE: bare CR before the value': post('Transfer-Encoding: \rchunked', '0\r\n\r\n'),
    'TE.TE: accented name': post('Tr\xe4nsfer-Encoding: chunked', '0\r\n\r\n'),
    'TE.TE: 0x00 at the end': post('Transfer-Encoding: chunked\0', '0\r\n\r\n'),
    'TE.TE: 0xff in front': post('Transfer-Encoding: \xffchunked', '0\r\n\r\n'),
    'TE.TE: no-break space': post('Transfer-Encoding:\xa0chunked', '0\r\n\r\n'),
    'TE.TE: no colon': post('Transfer-Encoding chunked', '0\r\n\r\n'),
  }),
  ...tricks(PROBE, bad, {
    'content-length and chunked': post(
      'Content-Length: 22\r\nTransfer-Encoding: chunked',
      'D\r\nhello-bananas\r\n0\r\n\r\n',
    ),
    'CL.TE pipelined': post('Content-Length: 4\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    'CL.TE with a plus': post('Content-Length: +4\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
    'CL.TE, coding in other case': post('Content-Length: 5\r\nTransfer-Encoding: Chunked', '0\r\n\r\n'),
    'coding in HTTP/1.0': 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'coding vertical tab': post('Transfer-Encoding: \x0bchunked', '0\r\n\r\n'),
    'coding form feed': post('Transfer-Encoding: \x0cchunked', '0\r\n\r\n'),
    'coding NUL inside': post('Transfer-Encoding: chun\0ked', '0\r\n\r\n'),
    'coding with a trailing space': post('Transfer-Encoding: chunked ', '0\r\n\r\n'),
    'coding with a trailing tab': post('Transfer-Encoding: chunked\t', '0\r\n\r\n'),
    'coding empty': post('Transfer-Encoding: ', '0\r\n\r\n'),
    'coding leading comma': post('Transfer-Encoding: ,', '0\r\n\r\n'),
    'coding trailing comma': post('Transfer-Encoding: chunked,', '0\r\n\r\n'),
    'coding identity': post('Transfer-Encoding: identity', '0\r\n\r\n'),
    'coding with parameters': post('Transfer-Encoding: chunked;ext=val', '0\r\n\r\n'),
    'chunked is not the last coding': post('Transfer-Encoding: chunked, gzip', '0\r\n\r\n'),
    'chunked after a space only': post('Transfer-Encoding: gzip chunked', '0\r\n\r\n'),
    'content-length after a space': post(' Content-Length: 5', 'hello'),
  }),
  ...tricks(PROBE, codingUnknown, {
    'coding twice in a list': post('Transfer-Encoding: chunked, chunked', '0\r\n\r\n'),
    'coding after a leading comma': post('Transfer-Encoding: , chunked', '0\r\n\r\n'),
    'gzip, chunked': post('Transfer-Encoding: gzip, chunked', '0\r\n\r\n'),
    'identity, chunked': post('Transfer-Encoding: identity,chunked', '0\r\n\r\n'),
  }),
  ...tricks(PROBE, both, {
    'coding in other case': post('tRANSFER-eNCODING: cHuNkEd', '5\r\nhello\r\n0\r\n\r\n'),
    'coding with white space in front': post('Transfer-Encoding: \tchunked', '0\r\n\r\n'),
    'underscore names are other fields': post('Transfer_Encoding: chunked\r\nContent_Length: 99', ''),
  }),
  ...tricks('GHSA-w3h3-4rj7-4ph4 (gunicorn)', bad, {
    'conflicting codings': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n'),
  }),
  ...tricks('CVE-2022-32213 and CVE-2022-32215 (llhttp)', bad, {
    'coding over two lines': post('Transfer-Encoding: chunked\r\n , identity', '0\r\n\r\n'),
    chunkedchunked: post('Transfer-Encoding: chunkedchunked', '0\r\n\r\n'),
  }),
  ...tricks('CVE-2024-27982 (Node.js)', bad, {
    'space before content-length, first': ' Content-Length: 5\r\n\r\n',
  }),
  ...tricks('CVE-2019-16276 (Go)', bad, {
    'space before the colon of content-length': post('Content-Length : 5', 'hello'),
  }),
  ...tricks('CVE-2019-15605 (Node.js)', bad, {
    'coding with a trailing bare CR': post('Transfer-Encoding: chunked\r', '0\r\n\r\n'),
  }),
];

const chunks = [
  ...tricks(FUNKY, [400], {
    'TERM.EXT: LF inside an extension': chunked('2;\nxx\r\n45\r\n0\r\n\r\n'),
    'EXT.TERM: LF ends the size line': chunked('5\nhello\r\n0\r\n\r\n'),
    'TERM.SPILL: LF after the data': chunked('5\r\nhello\n0\r\n\r\n'),
    'SPILL.TERM: two bytes after the data, whatever they are': chunked('5\r\nhelloXX0\r\n\r\n'),
    'ONE.TWO: no CRLF after the data': chunked('5\r\nhello0\r\n\r\n'),
    'bare CR in an extension': chunked('5;a\rX\r\nhello\r\n0\r\n\r\n'),
    'bare CR ends the size line': chunked('5\rhello\r\n0\r\n\r\n'),
  }),
  ...tricks(PROBE, [400], {
    'chunk with a bare semicolon': chunked('5;\r\nhello\r\n0\r\n\r\n'),
    'chunk extension with a bracket': chunked('5;bad[=x\r\nhello\r\n0\r\n\r\n'),
    'chunk extension in quotes': chunked('5;a="b"\r\nhello\r\n0\r\n\r\n'),
    'chunk extension with white space': chunked('5; a\r\nhello\r\n0\r\n\r\n'),
    'chunk extension with NUL': chunked('5;\0ext\r\nhello\r\n0\r\n\r\n'),
    'chunk size with underscore': chunked('1_0\r\nhello world!!!!!\r\n0\r\n\r\n'),
    'chunk size with 0x': chunked('0x5\r\nhello\r\n0\r\n\r\n'),
    'chunk size with a plus': chunked('+5\r\nhello\r\n0\r\n\r\n'),
    'chunk size negative': chunked('-5\r\nhello\r\n0\r\n\r\n'),
    'chunk size with a trailing space': chunked('5 \r\nhello\r\n0\r\n\r\n'),
    'chunk size with a leading space': chunked(' 5\r\nhello\r\n0\r\n\r\n'),
    'chunk data longer than its size': chunked('5\r\nhello!!\r\n0\r\n\r\n'),
    'last chunk +0': chunked('+0\r\n\r\n'),
    'chunk size empty': chunked('\r\nhello\r\n0\r\n\r\n'),
    'LF in the trailer': chunked('0\r\nX: y\n\r\n'),
    'LF ends the body': chunked('0\r\n\n'),
    'trailer without a colon': chunked('0\r\nnonsense\r\n\r\n'),
    'trailer folded': chunked('0\r\nX: y\r\n z\r\n\r\n'),
    'chunk size overflows 64 bits': chunked('10000000000000005\r\nhello\r\n0\r\n\r\n'),
  }),
  ...tricks(PROBE, [413], { 'chunk size near 2^64': chunked('FFFFFFFFFFFFFFFF\r\nhello') }),
  ...tricks(PROBE, both, {
    chunks: chunked('5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n'),
    'chunk sizes in upper-case hexadecimal': chunked('A\r\n0123456789\r\n0\r\n\r\n'),
    'chunk size with leading zeros': chunked('0005\r\nhello\r\n000\r\n\r\n'),
    'chunk extension is ignored': chunked('5;a=b;c\r\nhello\r\n0;x\r\n\r\n'),
    'empty chunked body': chunked('0\r\n\r\n'),
    'trailer of no concern': chunked('5\r\nhello\r\n0\r\nX-Checksum: 50\r\nY:\r\n\r\n'),
  }),
  ...tricks(PROBE, bad, {
    'trailer content-length': chunked('5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n'),
    'trailer host': chunked('0\r\nHost: evil\r\n\r\n'),
    'trailer authorization': chunked('0\r\nAuthorization: Bearer evil\r\n\r\n'),
    'trailer content-type': chunked('0\r\nContent-Type: text/evil\r\n\r\n'),
    'trailer transfer-encoding': chunked('0\r\nTransfer-Encoding: chunked\r\n\r\n'),
    'trailer connection': chunked('0\r\nConnection: close\r\n\r\n'),
  }),
  ...tricks('CVE-2023-39326 (Go), CVE-2024-22019 (Node.js)', bad, {
    'endless chunk extension': chunked(`5;${'a'.repeat(4096)}\r\nhello\r\n0\r\n\r\n`),
  }),
  ...tricks('CVE-2025-22871 (Go)', bad, {
    'LF after a size without extension': chunked('3\nabc\r\n0\r\n\r\n'),
  }),
  ...tricks('CVE-2025-55315 (Kestrel)', bad, {
    'LF hidden in an extension value': chunked('5;x=\ny\r\nhello\r\n0\r\n\r\n'),
  }),
  ...tricks('CVE-2019-18801 and others (Envoy)', [431], {
    'endless trailer': chunked(`0\r\nX: ${'a'.repeat(20_000)}`),
  }),
];

const lines = [
  ...tricks(RFC_9112, bad, {
    'bare LF after the request line': 'GET / HTTP/1.1\nHost: a\r\n\r\n',
    'bare LF after a field': get('Host: a\nX: y'),
    'bare LF as the empty line': 'GET / HTTP/1.1\r\nHost: a\r\n\n',
    'bare LF everywhere': 'GET / HTTP/1.1\nHost: a\n\n',
    'bare CR everywhere': 'GET / HTTP/1.1\rHost: a\r\r',
    'obs-fold with a space': get('Host: a\r\nX: y\r\n z'),
    'obs-fold with a tab': get('Host: a\r\nX: y\r\n\tz'),
    'white space before the first field': get(' Host: a'),
    'white space before the colon': get('Host : a'),
    'tab before the colon': get('Host\t: a'),
    'field without a colon': get('Host: a\r\nnonsense'),
    'empty field name': get('Host: a\r\n: y'),
    'two empty lines in front': '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'LF in front': '\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'white space in front': ' GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'two spaces after the method': 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n',
    'two spaces before the version': 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n',
    'tab in the request line': 'GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n',
    'space at the end of the request line': 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n',
    'space in the target': 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n',
    'HTTP/0.9': 'GET /\r\n\r\n',
    'no target': 'GET HTTP/1.1\r\nHost: a\r\n\r\n',
    'version in lower case': get('Host: a', '/', 'http/1.1'),
    'version with leading zeros': get('Host: a', '/', 'HTTP/01.1'),
    'version without a minor': get('Host: a', '/', 'HTTP/1'),
    'version with a space': get('Host: a', '/', 'HTTP/ 1.1'),
    'version with three digits': get('Host: a', '/', 'HTTP/1.11'),
    binary: '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
  }),
  ...tricks(RFC_9112, [505], {
    'HTTP/1.2': get('Host: a', '/', 'HTTP/1.2'),
    'HTTP/2.0': get('Host: a', '/', 'HTTP/2.0'),
    'HTTP/9.9': get('Host: a', '/', 'HTTP/9.9'),
  }),
  ...tricks(RFC_9112, [501], {
    'HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'method in lower case': 'get / HTTP/1.1\r\nHost: a\r\n\r\n',
    CONNECT: 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n',
    TRACE: 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n',
    'unknown method': 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n',
    'endless method': 'A'.repeat(300),
  }),
  ...tricks(RFC_9112, ok, { 'one empty line in front': `\r\n${get('Host: a')}` }),
  ...tricks(PROBE, bad, {
    'NUL in a field value': get('Host: a\r\nX: a\0b'),
    'control characters in a field value': get('Host: a\r\nX: a\x01\x02b'),
    'DEL in a field value': get('Host: a\r\nX: a\x7fb'),
    'bare CR in a field value': get('Host: a\r\nX: a\rb'),
    'non-ASCII field name': get('Host: a\r\n\xc3\xa9: b'),
    'space in a field name': get('Host: a\r\nX Y: b'),
    'tab in a field name': get('Host: a\r\nContent-\tLength: 5'),
    'bracket in a field name': get('Host: a\r\nX[Y]: b'),
    'line of white space': get('Host: a\r\n   '),
  }),
  ...tricks(PROBE, [431], {
    'too many fields': get(`Host: a\r\n${'X: y\r\n'.repeat(200)}X: y`),
    'endless field name': get(`Host: a\r\n${'x'.repeat(20_000)}: y`),
    'endless field value': get(`Host: a\r\nX: ${'y'.repeat(20_000)}`),
  }),
  ...tricks('CVE-2023-30589 (llhttp)', bad, {
    'CR without LF separates fields': get('Host: a\r\nX: y\rTransfer-Encoding: chunked'),
  }),
  ...tricks('CVE-2022-35256 (llhttp)', bad, { 'field line that ends in CR CR LF': get('Host: a\r\nX: y\r') }),
  ...tricks('CVE-2022-32214 (llhttp)', bad, {
    'LF separates requests': 'GET / HTTP/1.1\r\nHost: a\n\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n',
  }),
];

const targets = [
  ...tricks(PROBE, bad, {
    'fragment in the target': get('Host: a', '/a#b'),
    'non-ASCII target': get('Host: a', '/caf\xc3\xa9'),
    'NUL in the target': get('Host: a', '/\0'),
    'backslash in the path': get('Host: a', '/a\\b'),
    'escaped NUL': get('Host: a', '/%00'),
    'escaped CRLF': get('Host: a', '/%0d%0aX:y'),
    'escaped slash': get('Host: a', '/a%2fb'),
    'escaped backslash': get('Host: a', '/a%5cb'),
    'broken escape': get('Host: a', '/%zz'),
    'cut escape': get('Host: a', '/%4'),
    'above the root': get('Host: a', '/../etc/passwd'),
    'above the root, escaped': get('Host: a', '/%2e%2e/etc/passwd'),
    'asterisk with GET': get('Host: a', '*'),
    'authority form with GET': get('Host: a', 'a:80'),
    'relative path': get('Host: a', 'a/b'),
    'user information': get('Host: a', 'http://user@a/'),
    'other scheme': get('Host: a', 'ftp://a/'),
    'absolute form without a host': get('Host: a', 'http:///x'),
  }),
  ...tricks(PROBE, [414], { 'endless target': get('Host: a', `/${'a'.repeat(9000)}`) }),
  ...tricks(PROBE, ok, {
    'overlong UTF-8 stays escaped': get('Host: a', '/%c0%af'),
    'dot segments inside': get('Host: a', '/a/./b/../c'),
    'absolute form': get('Host: a', 'http://other.example/x?y'),
    'absolute form without a path': get('Host: a', 'HTTPS://other.example:8443'),
    'asterisk with OPTIONS': 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
    'JSON in the query, as browsers send it': get('Host: a', '/a?filter={%22a%22:[1|2]}'),
  }),
];

const hosts = [
  ...tricks(RFC_9112, bad, {
    'no host': get('X: y'),
    'two hosts': get('Host: a\r\nHost: b'),
    'two equal hosts': get('Host: a\r\nHost: a'),
    'empty host': get('Host: '),
    'host with a path': get('Host: a/b'),
    'host with user information': get('Host: u@a'),
    'host with a space': get('Host: a b'),
    'host list': get('Host: a, b'),
    'host with a bad port': get('Host: a:80x'),
    'host with two ports': get('Host: a:80:80'),
    'host with an open bracket': get('Host: [::1'),
    'bad host in HTTP/1.0': get('Host: a b', '/', 'HTTP/1.0'),
  }),
  ...tricks(RFC_9112, ok, {
    'no host in HTTP/1.0': get('X: y', '/', 'HTTP/1.0'),
    'IPv6 host': get('Host: [::1]:8080'),
    'absolute form against Host': get('Host: a', 'http://b/'),
  }),
];

const others = [
  ...tricks(RFC_9110, [417], { 'unknown expectation': get('Host: a\r\nExpect: 200-ok') }),
  ...tricks(KETTLE_2025, [417], {
    '0.CL: obfuscated expectation': post('Expect: y 100-continue\r\nContent-Length: 5', 'hello'),
  }),
  ...tricks(KETTLE_2025, both, {
    'expectation with the body right behind': post('Expect: 100-continue\r\nContent-Length: 5', 'hello'),
  }),
  ...tricks(KETTLE_2025, bad, {
    'V-H: host hidden by a space': get(' Host: a\r\nHost: b'),
    'H-V: second line of a value': get('Host: a\r\nX: y\r\n Content-Length: 5'),
  }),
  ...tricks(RFC_9110, bad, {
    'two authorizations': get('Host: a\r\nAuthorization: a\r\nAuthorization: b'),
    'two content types': get('Host: a\r\nContent-Type: a/b\r\nContent-Type: c/d'),
    'connection is no list': get('Host: a\r\nConnection: close keep-alive'),
  }),
  ...tricks(PROBE, ok, {
    'upgrade is ignored': get('Host: a\r\nConnection: Upgrade\r\nUpgrade: h2c'),
    'nothing after connection: close': `${get('Host: a\r\nConnection: close')}${next}`,
  }),
  ...tricks(PROBE, [], {
    'half a head': 'GET / HTTP/1.1\r\nHost: a\r\nX: ',
    'half a body': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello',
    'chunked without its end':
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    nothing: '',
  }),
];

export const corpus: readonly Trick[] = [
  ...contentLengths,
  ...codings,
  ...chunks,
  ...lines,
  ...targets,
  ...hosts,
  ...others,
];
