import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { HttpSpec } from '../model/snapshot.ts';
import type { Exchange, RequestHandler } from './exchange.ts';
import { type ListenOptions, type Listener, listen } from './listener.ts';

const fixtures = join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'tls');
const tls = {
  certificate: readFileSync(join(fixtures, 'certificate.pem'), 'utf8'),
  key: readFileSync(join(fixtures, 'key.pem'), 'utf8'),
};
const spec: HttpSpec = {
  maxHeadBytes: 4096,
  maxHeaders: 32,
  maxTargetBytes: 1024,
  timeoutMs: 10_000,
  maxConnections: 100,
  tls,
};
const MAX_BODY = 100_000;

/** Echoes the body; the path says how. */
class Echo implements RequestHandler {
  readonly pending: Exchange[] = [];
  readonly aborted: { path: string; status: number }[] = [];
  readonly addresses: string[] = [];
  readonly paths: string[] = [];

  onHead(exchange: Exchange): number {
    if (path(exchange) !== '/refused') return MAX_BODY;
    exchange.problem('forbidden');
    return -1;
  }

  onRequest(exchange: Exchange): void {
    this.addresses.push(exchange.remoteAddress);
    const way = path(exchange);
    this.paths.push(way);
    if (way === '/later') setTimeout(() => answer(exchange), 100);
    else if (way === '/never') this.pending.push(exchange);
    else if (way === '/large') answerWith(exchange, Buffer.alloc(400_000, 'x'));
    else if (way === '/empty') answerWith(exchange, null, 204);
    else if (way === '/reset') answerWith(exchange, Buffer.from('HTTP/1.1 200 OK'), 205);
    else if (way === '/fields') answerWithFields(exchange);
    else answer(exchange);
  }

  onAborted(exchange: Exchange): void {
    this.aborted.push({ path: path(exchange), status: exchange.status });
  }
}

function path({ bytes, head }: Exchange): string {
  return bytes.toString('latin1', head.pathStart, head.pathEnd);
}

const contentType = Buffer.from('content-type: text/plain\r\n');

function answer(exchange: Exchange): void {
  const body = exchange.body.subarray(exchange.bodyStart, exchange.bodyEnd);
  answerWith(exchange, Buffer.from(`${path(exchange)}:${body.toString('latin1')}`));
}

function answerWith(exchange: Exchange, body: Buffer | null, status = 200): void {
  exchange.begin(status);
  exchange.headerBlock(contentType, 0, contentType.length);
  exchange.end(body, 0, body?.length ?? 0);
}

/** A function that chooses its header lines: those in the body. */
function answerWithFields(exchange: Exchange): void {
  exchange.begin(200);
  exchange.headerBlock(exchange.body, exchange.bodyStart, exchange.bodyEnd);
  exchange.end(Buffer.from('ok'), 0, 2);
}

interface Server {
  readonly listener: Listener;
  readonly echo: Echo;
  readonly gauges: Int32Array;
}

async function serve(t: TestContext, options: Partial<ListenOptions<unknown>> = {}): Promise<Server> {
  const echo = new Echo();
  const gauges = new Int32Array(new SharedArrayBuffer(8));
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    reusePort: false,
    handler: echo,
    http: spec,
    gauges,
    ...options,
  });
  t.after(() => listener.drain(0));
  return { listener, echo, gauges };
}

/** Sends raw bytes, half-closes if asked, and resolves with everything that came back when the server hung up. */
function exchangeBytes(socket: Socket, parts: readonly string[], { end = false } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
    const sendNext = (index: number): void => {
      if (index === parts.length) {
        if (end) socket.end();
        return;
      }
      socket.write(Buffer.from(parts[index], 'latin1'));
      setTimeout(sendNext, 15, index + 1);
    };
    sendNext(0);
  });
}

/** Of the responses in a byte stream, in order. */
function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

const close = 'Connection: close\r\n';

interface Way {
  readonly name: string;
  readonly options: Partial<ListenOptions<unknown>>;
  /** When a socket can be written to. */
  readonly ready: 'connect' | 'secureConnect';
  dial(port: number): Socket;
}

/** The TCP sockets under TLS sockets. */
const underTls = new WeakMap<Socket, Socket>();

const ways: readonly Way[] = [
  {
    name: 'shared read buffer',
    options: { sockets: 'shared-buffer' },
    ready: 'connect',
    dial: (port) => connect(port),
  },
  {
    name: 'data events',
    options: { sockets: 'events' },
    ready: 'connect',
    dial: (port) => connect(port),
  },
  {
    name: 'TLS',
    ready: 'secureConnect',
    options: { secure: true },
    dial(port) {
      const raw = connect(port);
      const socket = connectTls({ socket: raw, ca: tls.certificate, servername: 'localhost' });
      underTls.set(socket, raw);
      return socket;
    },
  },
];

async function ask(way: Way, t: TestContext, parts: readonly string[], options = {}): Promise<string> {
  const { listener } = await serve(t, way.options);
  return exchangeBytes(way.dial(listener.port), parts, options);
}

for (const way of ways) {
  describe(`HTTP/1 over ${way.name}`, () => {
    test('answers, keeps the connection, closes when asked', async (t) => {
      const text = await ask(way, t, [
        'GET /a HTTP/1.1\r\nHost: a\r\n\r\n',
        `GET /b HTTP/1.1\r\nHost: a\r\n${close}\r\n`,
      ]);
      assert.deepEqual(statusesIn(text), [200, 200]);
      assert.match(
        text,
        /content-type: text\/plain\r\ncontent-length: 3\r\ndate: [^\r]+ GMT\r\n\r\n\/a:HTTP/,
      );
      assert.match(text, /connection: close\r\n\r\n\/b:$/);
    });

    test('pipelined requests are answered in order, late answers included', async (t) => {
      const text = await ask(way, t, [
        `GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n${close}\r\n`,
      ]);
      assert.deepEqual(text.match(/\/(?:later|b):/g), ['/later:', '/b:', '/later:']);
    });

    test('a connection that pipelines very much lets the others have their turn', async (t) => {
      const { listener, echo } = await serve(t, way.options);
      const request = (target: string, more = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
      const [much, little] = [way.dial(listener.port), way.dial(listener.port)];
      await Promise.all([much, little].map((socket) => once(socket, way.ready)));
      const count = 2000;
      const all = exchangeBytes(much, [request('/m').repeat(count) + request('/m', close)]);
      const one = exchangeBytes(little, [request('/one', close)]);
      assert.deepEqual(statusesIn(await one), [200]);
      const at = echo.paths.indexOf('/one');
      assert.ok(at < count / 2, `the other one was number ${at}`);
      assert.equal(statusesIn(await all).length, count + 1);
    });

    test('bodies: length, chunks, in pieces, answered later', async (t) => {
      const chunked = 'Transfer-Encoding: chunked\r\n';
      const text = await ask(way, t, [
        'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe',
        `lloPOST /later HTTP/1.1\r\nHost: a\r\n${chunked}\r\n5\r\nwor`,
        `ld\r\n1\r\n!\r\n0\r\n\r\nPOST /later HTTP/1.1\r\nHost: a\r\n${chunked}${close}\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n`,
      ]);
      assert.deepEqual(text.match(/\/(?:later|a):\S+?(?=HTTP|$)/g), [
        '/a:hello',
        '/later:world!',
        '/later:abc',
      ]);
    });

    test('HEAD, 204 and HTTP/1.0', async (t) => {
      const text = await ask(way, t, [
        'HEAD /a HTTP/1.1\r\nHost: a\r\n\r\nGET /empty HTTP/1.1\r\nHost: a\r\n\r\nGET /k HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /o HTTP/1.0\r\n\r\n',
      ]);
      assert.deepEqual(statusesIn(text), [200, 204, 200, 200]);
      const [head, empty, kept, last] = text.split(/(?=HTTP\/1\.1 )/);
      assert.match(head, /content-length: 3\r\n/);
      assert.ok(head.endsWith('\r\n\r\n'));
      assert.doesNotMatch(empty, /content-length/);
      assert.match(kept, /connection: keep-alive\r\n/);
      assert.match(last, /connection: close\r\n\r\n\/o:$/);
    });

    test('a 205 has no body that could be read as the next answer', async (t) => {
      const text = await ask(way, t, [
        'GET /reset HTTP/1.1\r\nHost: a\r\n\r\nGET /o HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      ]);
      assert.deepEqual(statusesIn(text), [205, 200]);
      assert.match(text, /^HTTP\/1\.1 205 [^]*?content-length: 0\r\n/);
    });

    test('Expect: 100-continue', async (t) => {
      const { listener } = await serve(t, way.options);
      const socket = way.dial(listener.port);
      socket.once('data', () => socket.write('ok')); // not before it was asked for
      const text = await exchangeBytes(socket, [
        `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n${close}\r\n`,
      ]);
      assert.deepEqual(statusesIn(text), [100, 200]);
      assert.match(text, /\/a:ok$/);
    });

    test('an answer before the body was read closes, one after it does not', async (t) => {
      const early = await ask(way, t, [
        'POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n',
        '123',
      ]);
      assert.match(early, /^HTTP\/1\.1 403 [^]*connection: close/);
      const complete = await ask(way, t, [
        `POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: a\r\n${close}\r\n`,
      ]);
      assert.deepEqual(statusesIn(complete), [403, 200]);
    });

    test('what cannot be trusted is refused with a problem document and the connection closed', async (t) => {
      const text = await ask(way, t, ['GET /a HTTP/1.1\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n']);
      assert.deepEqual(statusesIn(text), [400]);
      const problem = JSON.parse(text.slice(text.indexOf('{')));
      assert.equal(problem.type, 'urn:problem-type:mayfly:bad-request');
      assert.equal(problem.status, 400);
      assert.match(text, /content-type: application\/problem\+json\r\n/);
    });

    test('a body beyond the limit is 413, and the answer arrives although the client still sends', async (t) => {
      const { listener, echo } = await serve(t, way.options);
      const announced = await exchangeBytes(
        way.dial(listener.port),
        [
          `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${MAX_BODY + 1}\r\n\r\n${'x'.repeat(60_000)}`,
          'x'.repeat(60_000),
        ],
        { end: true },
      );
      assert.deepEqual(statusesIn(announced), [413]);
      const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`;
      const chunked = await exchangeBytes(
        way.dial(listener.port),
        [
          'POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
          chunk + chunk,
          chunk + chunk,
          chunk + chunk,
        ],
        { end: true },
      );
      assert.deepEqual(statusesIn(chunked), [413]);
      assert.deepEqual(echo.aborted, [
        { path: '/a', status: 413 },
        { path: '/b', status: 413 },
      ]);
    });

    test('a client that half-closes still gets its answers', async (t) => {
      const text = await ask(
        way,
        t,
        ['GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n'],
        { end: true },
      );
      assert.deepEqual(statusesIn(text), [200, 200]);
    });

    test('a client that leaves is told to the handler', async (t) => {
      const { listener, echo } = await serve(t, way.options);
      const socket = way.dial(listener.port);
      socket.on('error', () => {});
      socket.write('GET /never HTTP/1.1\r\nHost: a\r\n\r\n');
      await until(() => echo.pending.length === 1);
      assert.equal(echo.addresses[0].replace('::ffff:', ''), '127.0.0.1');
      (underTls.get(socket) ?? socket).resetAndDestroy(); // a mere FIN says no more than that nothing follows
      await until(() => echo.aborted.length === 1);
      assert.deepEqual(echo.aborted, [{ path: '/never', status: 0 }]);
      answer(echo.pending[0]); // too late: no effect, no error
      assert.equal(listener.stats.open, 0);
    });

    test('a client that does not read its answers is not read from, and loses the connection in the end', async (t) => {
      const { listener, echo } = await serve(t, { ...way.options, http: { ...spec, timeoutMs: 300 } });
      const socket = way.dial(listener.port);
      socket.on('error', () => {});
      socket.pause();
      const request = 'GET /large HTTP/1.1\r\nHost: a\r\n\r\n';
      socket.write(request.repeat(2000)); // 800 MB of answers
      await until(() => listener.stats.bytesWritten > 0);
      const deadline = Date.now() + 1000;
      let handled = echo.addresses.length;
      while (Date.now() < deadline) {
        await pause(50);
        handled = Math.max(handled, echo.addresses.length);
      }
      assert.ok(handled < 200, `${handled} requests were handled for a client that reads nothing`);
      socket.destroy();
    });

    test('drain: idle connections close at once, a running request is finished, the rest is cut', async (t) => {
      const { listener, gauges } = await serve(t, way.options);
      const idle = exchangeBytes(way.dial(listener.port), ['GET /a HTTP/1.1\r\nHost: a\r\n\r\n']);
      const running = exchangeBytes(way.dial(listener.port), ['GET /later HTTP/1.1\r\nHost: a\r\n\r\n']);
      const stuck = exchangeBytes(way.dial(listener.port), ['GET /never HTTP/1.1\r\nHost: a\r\n\r\n']).catch(
        () => '',
      );
      await until(() => listener.stats.open === 3 && listener.stats.bytesRead > 90);
      assert.equal(await listener.drain(300), 1);
      assert.deepEqual(statusesIn(await idle), [200]);
      assert.match(await running, /connection: close\r\n\r\n\/later:/);
      assert.equal(await stuck, '');
      await until(() => gauges[0] === 0);
    });
  });
}

describe('limits of connections', () => {
  test('one too many is answered 503 and closed', async (t) => {
    const { listener, gauges } = await serve(t, { http: { ...spec, maxConnections: 2 } });
    const sockets = [connect(listener.port), connect(listener.port)];
    await until(() => gauges[0] === 2);
    const text = await exchangeBytes(connect(listener.port), []);
    assert.deepEqual(statusesIn(text), [503]);
    assert.match(text, /retry-after: 1\r\n/);
    for (const socket of sockets) socket.destroy();
    await until(() => gauges[0] === 0);
    assert.equal(listener.stats.refused, 1);
  });

  test('slow clients: head and body byte by byte are 408, silence is closed without a word', async (t) => {
    const { listener, echo } = await serve(t, { http: { ...spec, timeoutMs: 600 } });
    const drip = async (start: string): Promise<string> => {
      const socket = connect(listener.port);
      const timer = setInterval(() => socket.write('x'), 100);
      const text = await exchangeBytes(socket, [start], {}).catch((error) => String(error));
      clearInterval(timer);
      return text;
    };
    const [head, body, chunked, silent] = await Promise.all([
      drip('GET /a HTTP/1.1\r\nHost: a\r\nX: '),
      drip('POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n'),
      drip('POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n'),
      exchangeBytes(connect(listener.port), []),
    ]);
    assert.deepEqual([head, body, chunked].map(statusesIn), [[408], [408], [408]]);
    assert.equal(silent, '');
    assert.deepEqual(
      new Set(echo.aborted.map((one) => `${one.path} ${one.status}`)),
      new Set(['/b 408', '/c 408']),
    );
  });

  test('a head that never ends is refused as itself: what another connection asked for meanwhile does not matter', async (t) => {
    const { listener } = await serve(t, { http: { ...spec, timeoutMs: 600 } });
    const slow = exchangeBytes(connect(listener.port), ['GET /a HTTP/1.1\r\nHost: a\r\nX: ']);
    await exchangeBytes(connect(listener.port), ['HEAD /b HTTP/1.0\r\n\r\n']);
    const [head = '', body = ''] = (await slow).split('\r\n\r\n');
    assert.match(head, /^HTTP\/1\.1 408 /);
    assert.equal(body.length, Number(/content-length: (\d+)/.exec(head)?.[1]));
    assert.ok(body.length > 0);
  });

  test('new limits hold from the next request on', async (t) => {
    const { listener } = await serve(t);
    listener.update({ ...spec, maxTargetBytes: 5 });
    const text = await exchangeBytes(connect(listener.port), ['GET /123456 HTTP/1.1\r\nHost: a\r\n\r\n'], {
      end: true,
    });
    assert.deepEqual(statusesIn(text), [414]);
  });

  test('of clients that come at once many are taken in each turn of the event loop, and none after the drain', async (t) => {
    const { listener } = await serve(t, { reusePort: true, http: { ...spec, maxConnections: 1000 } });
    const clients = Array.from({ length: 160 }, () => connect(listener.port, '127.0.0.1'));
    t.after(() => clients.forEach((client) => client.destroy()));
    let turns = 0;
    while (listener.stats.accepted < clients.length) {
      await new Promise((later) => setImmediate(later));
      assert.ok(++turns < 80, `${listener.stats.accepted} of ${clients.length} after ${turns} turns`);
    }
    await listener.drain(0);
    const late = connect(listener.port, '127.0.0.1');
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });

  test('bodies that never end hold so much memory and no more: who comes then is told to come back', async (t) => {
    const { listener } = await serve(t, { http: { ...spec, maxConnections: 2000 } });
    const head = `POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: ${MAX_BODY}\r\n\r\n`;
    const most = Buffer.from(head + 'x'.repeat(MAX_BODY - 1));
    const flood = async (count: number) =>
      await Promise.all(
        Array.from({ length: count }, async () => {
          const socket = connect(listener.port, '127.0.0.1');
          t.after(() => socket.destroy());
          const client = { socket, received: '' };
          socket.on('data', (chunk: Buffer) => (client.received += chunk.toString('latin1')));
          socket.on('error', () => undefined);
          await new Promise((sent) => socket.write(most, sent));
          return client;
        }),
      );
    const untilAnswered = async (clients: readonly { received: string }[]) => {
      while (clients.some(({ received }) => received === '')) await sleep(10);
    };
    // 64 MiB are 671 bodies of 100,000 bytes.
    const clients = await flood(720);
    while (listener.stats.bytesRead < 720 * most.length) await sleep(10);
    const refused = clients.filter(({ received }) => received !== '');
    assert.ok(refused.length >= 30 && refused.length < 100, `${refused.length} refused`);
    for (const { received } of refused) assert.match(received, /^HTTP\/1\.1 503 .*retry-after: 1\r\n/is);
    const waiting = clients.filter(({ received }) => received === '');
    for (const { socket } of waiting) socket.write('x');
    await untilAnswered(waiting);
    assert.ok(waiting.every(({ received }) => received.startsWith('HTTP/1.1 200')));
    const later = await flood(300);
    for (const { socket } of later) socket.write('x');
    await untilAnswered(later);
    assert.ok(
      later.every(({ received }) => received.startsWith('HTTP/1.1 200')),
      'all of it is free again',
    );
  });

  test('a port in use is an error that says what to do', async (t) => {
    const { listener } = await serve(t);
    await assert.rejects(serve(t, { port: listener.port }), /port is in use.*choose another port/);
  });
});

describe('HTTP/2', () => {
  interface Answer {
    readonly status: number;
    readonly body: string;
    readonly headers: Record<string, unknown>;
  }

  async function dial(t: TestContext, options: Partial<ListenOptions<unknown>> = {}) {
    const server = await serve(t, { secure: true, ...options });
    const session = connectHttp2(`https://localhost:${server.listener.port}`, { ca: tls.certificate });
    session.on('error', () => {});
    t.after(() => session.destroy());
    const ask = (headers: Record<string, string>, body?: string): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const stream = session.request(headers, { endStream: body === undefined });
        let status = 0;
        let answerHeaders = {};
        let text = '';
        stream.on('response', (all) => {
          status = Number(all[':status']);
          answerHeaders = all;
        });
        stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
        stream.on('end', () => resolve({ status, body: text, headers: answerHeaders }));
        stream.on('error', reject);
        if (body !== undefined) stream.end(body);
      });
    return { ...server, session, ask };
  }

  test('the same requests, many at once', async (t) => {
    const { ask } = await dial(t);
    const answers = await Promise.all([
      ask({ ':path': '/a' }),
      ask({ ':path': '/later', ':method': 'POST' }, 'hello'),
      ask({ ':path': '/x/../b' }),
      ask({ ':path': '/empty' }),
      ask({ ':path': '/a', ':method': 'HEAD' }),
      ask({ ':path': '/large' }),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 204, 200, 200],
    );
    assert.deepEqual(
      answers.slice(0, 3).map(({ body }) => body),
      ['/a:', '/later:hello', '/b:'],
    );
    assert.equal(answers[4].headers['content-length'], '3');
    assert.equal(answers[5].body.length, 400_000);
    assert.equal(answers[0].headers['connection'], undefined);
  });

  test('no header field of a function ends more than its own answer', async (t) => {
    const { ask } = await dial(t);
    const hostile = [
      'location: /a\r\nlocation: /b\r\n',
      'content-type: a/b\r\ncontent-type: c/d\r\netag: "1"\r\netag: "2"\r\n',
      'http2-settings: AAMAAABk\r\nupgrade: h2c\r\nkeep-alive: 1\r\nproxy-connection: x\r\nte: gzip\r\n',
      '__proto__: x\r\nconstructor: y\r\n',
      'x: \u00ff\t\u0080\r\n',
    ];
    const answers: Answer[] = [];
    for (const lines of hostile) answers.push(await ask({ ':path': '/fields', ':method': 'POST' }, lines));
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body]),
      hostile.map(() => [200, 'ok']),
    );
    assert.equal(answers[0].headers['location'], '/a');
    assert.deepEqual(Object.keys(answers[2].headers).toSorted(), [':status', 'content-length', 'date']);
    assert.equal(answers[3].headers['constructor'], 'y');
    assert.deepEqual((await ask({ ':path': '/reset' })).body, '');
    assert.equal((await ask({ ':path': '/a' })).status, 200);
  });

  test('a body in the smallest of frames arrives whole, one too long is refused', async (t) => {
    const { session, ask } = await dial(t);
    const send = async (length: number): Promise<string> => {
      const stream = session.request({ ':path': '/a', ':method': 'POST' });
      let text = '';
      stream.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
      for (let sent = 0; sent < length; sent++) {
        stream.write('x');
        if (sent % 100 === 99) await pause(0);
      }
      stream.end();
      await once(stream, 'end');
      return text;
    };
    assert.equal(await send(1000), `/a:${'x'.repeat(1000)}`);
    const whole = await ask({ ':path': '/a', ':method': 'POST' }, 'y'.repeat(MAX_BODY));
    assert.equal(whole.body.length, MAX_BODY + 3);
  });

  test('the same refusals', async (t) => {
    const { ask, echo } = await dial(t);
    const answers = await Promise.all([
      ask({ ':path': '/%00' }),
      ask({ ':path': '/a', ':method': 'BREW' }),
      ask({ ':path': '/a%2fb' }),
      ask({ ':path': `/${'a'.repeat(2000)}` }),
      ask({ ':path': '/a', ':method': 'POST' }, 'x'.repeat(MAX_BODY + 1)),
      ask({ ':path': '/refused', ':method': 'POST' }, 'x'),
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [400, 501, 400, 414, 413, 403],
    );
    assert.deepEqual(echo.aborted, [{ path: '/a', status: 413 }]);
  });

  test('before it ends it says so: open streams and those on their way are answered, the client opens no more', async (t) => {
    const { session, listener, echo, ask } = await dial(t);
    const open = ask({ ':path': '/never' });
    await until(() => echo.pending.length === 1);
    const told = once(session, 'goaway');
    listener.leave();
    const [code, lastStream] = (await told) as [number, number];
    assert.deepEqual([code, lastStream], [0, 2 ** 31 - 1]);
    const late = connectHttp2(`https://localhost:${listener.port}`, { ca: tls.certificate });
    t.after(() => late.destroy());
    const [headers] = (await once(late.request({ ':path': '/a' }), 'response')) as [Record<string, unknown>];
    assert.equal(headers[':status'], 200, 'it still accepts');
    late.close();
    answer(echo.pending[0]);
    assert.equal((await open).status, 200);
    assert.equal(await listener.drain(500), 0);
  });

  test('a client that leaves is told to the handler; drain says goodbye', async (t) => {
    const { session, listener, echo } = await dial(t);
    const stream = session.request({ ':path': '/never' });
    stream.on('error', () => {});
    await until(() => echo.pending.length === 1);
    stream.close(8);
    await until(() => echo.aborted.length === 1);
    answer(echo.pending[0]);
    assert.equal(await listener.drain(500), 0);
  });
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) assert.fail(`never happened: ${condition}`);
    await pause(5);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
