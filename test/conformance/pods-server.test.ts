/** The server of a pod with sockets and a clock of ours: time, limits, back-pressure, what a guest may do to it. */
import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import { before, test } from 'node:test';
import { problems, problemType } from '../../src/model/problems.ts';
import type { PodSettings } from '../../src/pods/settings.ts';
import { Random } from '../fuzz/random.ts';
import { builtAdapter } from '../support/pods/builds.ts';
import { podSettings } from '../support/pods/pod-http.ts';
import { bodyOf, responseFrame } from '../support/pods/response-frames.ts';
import { Ended, type Guest, type Peer, VirtualHost } from '../support/pods/virtual-host.ts';

let module: WebAssembly.Module;
before(async () => {
  module = new WebAssembly.Module((await builtAdapter()) as BufferSource);
});

const echo: Guest = { handle: (frame) => responseFrame(200, [], bodyOf(frame)) };
const TIMEOUT = podSettings.http.timeoutMs;

function pod(guest: Guest = echo, settings: Partial<PodSettings> = {}, env = {}): VirtualHost {
  return new VirtualHost(module, { ...podSettings, ...settings }, guest, env);
}

const text = (peer: Peer): string => Buffer.concat(peer.sent).toString('latin1');
const statusOf = (peer: Peer): number => Number(text(peer).slice(9, 12));
const get = (target = '/', more = ''): Buffer =>
  Buffer.from(`GET ${target} HTTP/1.1\r\nHost: a\r\n${more}\r\n`);
const post = (length: number, more = ''): Buffer =>
  Buffer.from(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${more}\r\n`);

/** Time passes, and the server notices. */
function* later(host: VirtualHost, ms: number): Generator<void, void, void> {
  host.now += ms;
  yield;
  yield;
}

test('an idle connection is closed without a word, a begun head gets 408', () => {
  pod().play(function* (host) {
    const idle = host.connect();
    const slow = host.connect();
    yield;
    slow.incoming.push(Buffer.from('GET / HT'));
    yield;
    yield* later(host, TIMEOUT - 10);
    assert.deepEqual([text(slow), idle.shutdown], ['', false]);
    yield* later(host, 600);
    assert.equal(statusOf(slow), 408);
    assert.match(text(slow), /connection: close/);
    assert.deepEqual([text(idle), idle.shutdown], ['', true]);
    yield* later(host, 2600);
    assert.ok(slow.closed && idle.closed, 'both are gone after the grace time');
  });
});

test('a head that drips never gets more than its time', () => {
  pod().play(function* (host) {
    const peer = host.connect();
    yield;
    for (let second = 0; second < 40 && !peer.shutdown; second++) {
      peer.incoming.push(Buffer.from('G'));
      yield* later(host, 1000);
    }
    assert.match(text(peer), /^HTTP\/1\.1 (408|501) /);
  });
});

test('a body may pause for less than the timeout, and has a millisecond a byte besides', () => {
  pod().play(function* (host) {
    const paused = host.connect();
    const dripping = host.connect();
    yield;
    paused.incoming.push(post(100));
    dripping.incoming.push(post(1000));
    yield;
    for (let i = 0; i < 3; i++) {
      yield* later(host, TIMEOUT / 2);
      if (!dripping.shutdown) dripping.incoming.push(Buffer.from('x'));
      yield;
    }
    assert.equal(statusOf(paused), 408);
    assert.equal(statusOf(dripping), 408);
  });
});

test("the time that the function takes is nobody else's: who waited meanwhile is not late", () => {
  const slow: Guest = {
    handle(frame, host) {
      host.now += TIMEOUT;
      return responseFrame(200, [], bodyOf(frame));
    },
  };
  pod(slow).play(function* (host) {
    const peers = [host.connect(), host.connect(), host.connect()];
    yield;
    for (const peer of peers) peer.incoming.push(post(4).subarray(0, 20));
    yield;
    for (const peer of peers) peer.incoming.push(Buffer.concat([post(4).subarray(20), Buffer.from('body')]));
    yield;
    for (const peer of peers) peer.incoming.push(get());
    yield;
    yield;
    for (const peer of peers) assert.equal(text(peer).match(/HTTP\/1\.1 200 OK/g)?.length, 2);
  });
});

test('100 Continue is sent when the body is wanted and has not come', () => {
  pod().play(function* (host) {
    const peer = host.connect();
    yield;
    peer.incoming.push(post(5, 'Expect: 100-continue\r\n'));
    yield;
    yield;
    assert.equal(text(peer), 'HTTP/1.1 100 Continue\r\n\r\n');
    peer.incoming.push(Buffer.from('hello'));
    yield;
    yield;
    assert.match(text(peer), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/);
    const refused = host.connect();
    yield;
    refused.incoming.push(post(10_000_000, 'Expect: 100-continue\r\n'));
    yield;
    yield;
    assert.equal(statusOf(refused), 413);
  });
});

test('answers that nobody takes are kept, the connection is not read from, and in the end it is cut', () => {
  pod().play(function* (host) {
    const patient = host.connect();
    const gone = host.connect();
    yield;
    for (const peer of [patient, gone]) {
      peer.window = 30;
      peer.incoming.push(get());
      peer.incoming.push(get());
    }
    yield;
    yield;
    assert.deepEqual([text(patient).length, patient.incoming.length], [30, 1]);
    patient.window = Infinity;
    yield;
    yield;
    assert.equal(text(patient).match(/HTTP\/1\.1 200 OK/g)?.length, 2);
    yield* later(host, TIMEOUT + 2000);
    assert.ok(gone.closed);
  });
});

test('bodies of any size arrive in any pieces and leave through any window', () => {
  const random = new Random(1);
  pod().play(function* (host) {
    for (let round = 0; round < 60; round++) {
      const peer = host.connect();
      yield;
      const body = Buffer.from(
        Array.from({ length: random.below(round % 10 === 0 ? 250_000 : 3000) }, () => random.below(256)),
      );
      const isChunked = random.below(2) === 1;
      const request = isChunked
        ? Buffer.concat([
            Buffer.from('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'),
            ...chunksOf(body, random),
            Buffer.from('0\r\n\r\n'),
          ])
        : Buffer.concat([post(body.length), body]);
      peer.window = random.below(2000);
      for (let at = 0; at < request.length;) {
        const piece = request.subarray(at, at + 1 + random.below(20_000));
        peer.incoming.push(piece);
        at += piece.length;
        peer.window += random.below(5000);
        yield;
      }
      for (let i = 0; i < 400 && text(peer).length < body.length; i++) {
        peer.window += 1 + random.below(10_000);
        yield;
      }
      peer.window = Infinity;
      yield;
      yield;
      const answer = Buffer.concat(peer.sent);
      assert.ok(answer.subarray(answer.indexOf('\r\n\r\n') + 4).equals(body), `round ${round}`);
      peer.incoming.push(null);
      yield;
    }
  });
});

function chunksOf(body: Buffer, random: Random): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const data = body.subarray(at, at + 1 + random.below(9000));
    chunks.push(Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n'));
    at += data.length;
  }
  return chunks;
}

test('one connection too many is told so; where one goes another may come', () => {
  pod(echo, { http: { ...podSettings.http, maxConnections: 3 } }).play(function* (host) {
    const [first] = [host.connect(), host.connect(), host.connect()];
    const fourth = host.connect();
    yield;
    assert.equal(statusOf(fourth), 503);
    assert.match(text(fourth), /retry-after: 1\r\nconnection: close\r\n\r\n.*Too many connections are open/);
    assert.ok(fourth.closed);
    first?.incoming.push(null);
    yield;
    const fifth = host.connect();
    yield;
    fifth.incoming.push(get('/health'));
    yield;
    yield;
    assert.equal(statusOf(fifth), 200);
  });
});

test('bodies for which there is no memory are told to come back; nothing of it is lost for good', () => {
  pod().play(function* (host) {
    for (let round = 0; round < 3; round++) {
      const peers = Array.from({ length: 60 }, () => host.connect());
      yield;
      for (const peer of peers) {
        peer.incoming.push(post(900_000));
        for (let i = 0; i < 14; i++) peer.incoming.push(Buffer.alloc(60_000, 'x'));
      }
      for (let i = 0; i < 16; i++) yield;
      const refused = peers.filter((peer) => statusOf(peer) === 503);
      assert.ok(refused.length > 0 && refused.length < 60, `${refused.length} were refused`);
      assert.match(text(refused[0] as Peer), /overloaded[^]*|retry-after: 1/);
      for (const peer of peers) {
        peer.incoming.length = 0;
        if (statusOf(peer) !== 503) peer.incoming.push(Buffer.alloc(60_000, 'x'));
      }
      for (let i = 0; i < 3; i++) yield;
      for (const peer of peers) if (!refused.includes(peer)) assert.equal(statusOf(peer), 200);
      for (const peer of peers) peer.incoming.push(null);
      yield;
      yield;
    }
  });
});

test('a guest that fails costs its own caller an error', () => {
  const frames: (Buffer | number)[] = [];
  const handle = (): Buffer | number => frames.shift() ?? responseFrame(200, [], 'fine');
  const cases: [Buffer | number, number, string][] = [
    [1, 500, 'function-failed'],
    [2, 504, 'function-timeout'],
    [3, 500, 'function-failed'],
    [Buffer.alloc(8), 500, 'function-failed'],
    [responseFrame(199, [], ''), 500, 'function-failed'],
    [responseFrame(600, [], ''), 500, 'function-failed'],
    [responseFrame(200, [['a b', 'c']], ''), 500, 'function-failed'],
    [responseFrame(200, [['a', 'b\r\nc: d']], ''), 500, 'function-failed'],
    [responseFrame(200, [['', 'b']], ''), 500, 'function-failed'],
    [
      responseFrame(
        200,
        Array.from({ length: 129 }, () => ['a', 'b'] as const),
        '',
      ),
      500,
      'function-failed',
    ],
    [responseFrame(200, [['a', 'x'.repeat(33_000)]], ''), 500, 'function-failed'],
    [responseFrame(200, [], Buffer.alloc(1_000_001)), 502, 'response-too-large'],
    [responseFrame(200, [], 'x').subarray(0, 16), 500, 'function-failed'],
  ];
  pod({ handle }).play(function* (host) {
    const peer = host.connect();
    yield;
    for (const [frame, status, code] of cases) {
      frames.push(frame);
      peer.sent.length = 0;
      peer.incoming.push(get('/', 'x-request-id: my-id\r\n'));
      yield;
      yield;
      assert.equal(statusOf(peer), status);
      const problem = problems[code as keyof typeof problems];
      const expected = { type: problemType(code as keyof typeof problems), ...problem, instance: 'my-id' };
      const {
        type,
        title,
        status: told,
        detail,
        instance,
      } = JSON.parse(text(peer).split('\r\n\r\n')[1] ?? '');
      assert.deepEqual({ type, status: told, title, detail, instance }, expected);
      peer.incoming.push(get());
      yield;
      yield;
      assert.match(text(peer), /fine$/);
    }
  });
});

test('status lines are those of the gateway, for every status', () => {
  let status = 200;
  pod({
    handle: () =>
      responseFrame(
        status,
        [
          ['Content-Length', '9'],
          ['X', 'y'],
        ],
        'body',
      ),
  }).play(function* (host) {
    const peer = host.connect();
    yield;
    for (; status < 600; status++) {
      peer.sent.length = 0;
      peer.incoming.push(get());
      yield;
      yield;
      const lines = text(peer).split('\r\n');
      assert.equal(lines[0], `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`);
      assert.equal(lines[1], 'X: y');
      const bodiless = status === 204 || status === 304;
      const empty = bodiless || status === 205;
      assert.equal(text(peer).endsWith('\r\n\r\nbody'), !empty);
      assert.equal(text(peer).includes('content-length'), !bodiless);
    }
  });
});

test('PORT and LOG_LEVEL override the settings; what cannot be listened on ends the process with one line', () => {
  const quiet = pod(echo, {}, { LOG_LEVEL: 'error', PORT: '1234' });
  quiet.play(function* () {});
  assert.deepEqual(quiet.logs, []);
  const loud = pod(echo, {}, { PORT: '1234' });
  loud.play(function* () {});
  assert.match(loud.logs.join(''), /^\{"level":"info","time":"[^"]*Z","port":1234,"msg":"listening"\}\n$/);
  for (const [env, host] of [
    [{ PORT: '0' }, '127.0.0.1'],
    [{ PORT: '70000' }, '127.0.0.1'],
    [{}, 'localhost'],
    [{}, '1.2.3'],
    [{}, '1.2.3.256'],
  ] as const) {
    const wrong = pod(echo, { host }, env);
    assert.throws(
      () => wrong.play(function* () {}),
      (error) => error instanceof Ended && error.code === 78,
    );
    assert.equal(wrong.logs.length, 1);
  }
});

test('a function that fails leaves one line that says why', () => {
  const late = (host: VirtualHost): number => {
    host.call('clock');
    host.now += podSettings.limits.requestTimeoutMs;
    host.call('clock');
    return 2;
  };
  const cases: [(host: VirtualHost) => Buffer | number, RegExp][] = [
    [() => 1, /^The function did not finish: it trapped$/],
    [() => 2, /: its CPU time is used up \(cpu_limit, cpu_budget\)$/],
    [late, /: its time is used up \(request_timeout\)$/],
    [() => 3, /: it ended the process$/],
    [(host) => ((host.guestStack = -1), 1), /: it trapped, its calls being nested too deep$/],
    [(host) => ((host.guestLimit = host.guestMemory.length), 1), /: it ran out of memory \(memory_limit\)$/],
    [() => Buffer.alloc(8), /^The answer is not a response frame: wrong-length$/],
  ];
  for (const [end, expected] of cases) {
    const chatty: Guest = {
      handle(_frame, host) {
        for (let i = 0; i < 200; i++) host.call('mayfly$log', 1, 5000, 1);
        return end(host);
      },
    };
    const host = pod(chatty, {}, { LOG_LEVEL: 'error' });
    host.play(function* (host) {
      const peer = host.connect();
      yield;
      peer.incoming.push(get('/', 'x-request-id: r1\r\nAuthorization: Bearer secret\r\n'));
      yield;
      yield;
    });
    const lines = host.logs.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(lines.length, 1, String(expected));
    const [{ level, function: name, request_id: id, msg } = {}] = lines;
    assert.deepEqual([level, name, id], ['error', podSettings.name, 'r1']);
    assert.match(String(msg), expected);
    assert.ok(!host.logs.join('').includes('secret'));
  }
});

/** Runs `work` as the guest, in one request. */
function inGuest(
  work: (host: VirtualHost) => void,
  settings: Partial<PodSettings> = {},
  env = {},
): VirtualHost {
  const host = pod(
    {
      handle(_frame, host) {
        work(host);
        return responseFrame(200, [], '');
      },
    },
    settings,
    env,
  );
  host.play(function* () {
    const peer = host.connect();
    yield;
    peer.incoming.push(get('/', 'x-request-id: r1\r\n'));
    yield;
    yield;
    host.now += 1;
  });
  return host;
}

const linesOf = (host: VirtualHost): Record<string, unknown>[] =>
  host.logs
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ function: name }) => name !== undefined);

test('what a guest logs is JSON whatever it is, without tokens, and not endless', () => {
  const messages = [
    'plain',
    'quote " backslash \\ tab \t bell \u0007 line \n end',
    'Ünïcödé 😀',
    'token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1In0.abc_-DEF here',
    'x'.repeat(9000),
  ];
  const broken = [
    [0xff, 0x41],
    [0xe2, 0x82, 0x41],
    [0xf0, 0x9f, 0x98],
    [0xed, 0xa0, 0x80],
    [0xc0, 0xaf],
  ].map((bytes) => Buffer.from(bytes));
  const all = [...messages.map((message) => Buffer.from(message)), ...broken];
  const host = inGuest((host) => {
    for (const bytes of all) {
      bytes.copy(host.guestMemory, 5000);
      host.call('mayfly$log', 1, 5000, bytes.length);
    }
    for (let i = 0; i < 200; i++) host.call('mayfly$log', 9, 5000, 1);
  });
  const lines = linesOf(host);
  assert.equal(lines.length, 100);
  const expected = all.map((bytes) =>
    bytes
      .subarray(0, 8192)
      .toString('utf8')
      .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]*/, '[redacted]'),
  );
  assert.deepEqual(
    lines.slice(0, all.length).map(({ msg }) => msg),
    expected,
  );
  const { level, function: name, request_id: id } = lines.at(-1) as Record<string, unknown>;
  assert.deepEqual([level, name, id], ['error', 'under-test', 'r1']);
});

test('config reads what is set, the process before the settings, and stays within its capacity', () => {
  const env = { GREETING: 'hello\nworld \\n', SECRET: 'from the image', EMPTY: '' };
  inGuest(
    (host) => {
      const read = (name: string, capacity = 100): [number, string] => {
        Buffer.from(name).copy(host.guestMemory, 2000);
        host.guestMemory.fill(0x2e, 3000, 3100);
        const length = host.call('mayfly$config', 2000, name.length, 3000, capacity);
        return [
          length,
          host.guestMemory.toString('utf8', 3000, 3000 + Math.max(0, Math.min(length, capacity))),
        ];
      };
      assert.deepEqual(read('GREETING'), [14, 'hello\nworld \\n']);
      assert.deepEqual(read('GREETING', 5), [14, 'hello']);
      assert.equal(host.guestMemory[3005], 0x2e);
      assert.deepEqual(read('SECRET'), [12, 'from the pod']);
      assert.deepEqual(read('EMPTY'), [0, '']);
      assert.deepEqual(read('PATH'), [-1, '']);
    },
    { env },
    { SECRET: 'from the pod', PATH: '/bin' },
  );
});

test('random bytes are the key stream of ChaCha20 (RFC 8439), keyed word by word', () => {
  let bytes = Buffer.alloc(0);
  inGuest((host) => {
    host.call('mayfly$random', 4000, 1000);
    bytes = Buffer.from(host.guestMemory.subarray(4000, 5000));
  });
  // The host of this test fills every word alike.
  const word = Buffer.from([11, 48, 85, 122]).readUInt32LE();
  const key = Buffer.alloc(32);
  const mixed = (word ^ ((word << 16) | (word >>> 16))) >>> 0;
  for (let i = 0; i < 8; i++) key.writeUInt32LE(mixed, i * 4);
  const nonce = Buffer.alloc(16);
  for (let i = 1; i < 4; i++) nonce.writeUInt32LE(mixed, i * 4);
  const stream = createCipheriv('chacha20', key, nonce).update(Buffer.alloc(2000));
  assert.ok(stream.includes(bytes), 'it is a part of the stream');
});

test('a pointer outside its memory ends the run, and touches nothing', () => {
  const calls: [string, ...number[]][] = [
    ['mayfly$log', 1, 0xffff_fff0, 32],
    ['mayfly$log', 1, 0, 0xffff_ffff],
    ['mayfly$random', 64 * 65_536 - 4, 8],
    ['mayfly$random', 0, 65_537],
    ['mayfly$config', 64 * 65_536, 1, 0, 0],
  ];
  for (const [name, ...args] of calls) {
    const host = pod({
      handle(_frame, host) {
        host.call(name, ...args);
        return responseFrame(200, [], '');
      },
    });
    host.play(function* () {
      const peer = host.connect();
      yield;
      peer.incoming.push(get());
      yield;
      yield;
      assert.equal(statusOf(peer), 500, name);
    });
  }
});
