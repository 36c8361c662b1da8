import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { DemandTable } from '../zero/demand-table.ts';
import { readMetricsRequest, readScaledObjectRef } from './messages.ts';
import { bytesField, doubleField, fieldsOf, wholeField } from './protobuf.ts';
import { startScaler } from './scaler.ts';

const SERVICE = '/externalscaler.ExternalScaler/';

/** As KEDA writes it: name, namespace, and the trigger's metadata as a map. */
function reference(name: string, metadata: Readonly<Record<string, string>> = {}): Buffer {
  const entries = Object.entries(metadata).map(([key, value]) =>
    bytesField(3, Buffer.concat([bytesField(1, key), bytesField(2, value)])),
  );
  return Buffer.concat([bytesField(1, name), bytesField(2, 'shop'), ...entries]);
}

function framed(message: Buffer, compressed = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

async function start(t: TestContext) {
  const demand = new DemandTable();
  let now = 1_000_000;
  const scaler = await startScaler({ host: '127.0.0.1', port: 0 }, demand, () => now);
  const client = connect(`http://127.0.0.1:${scaler.port}`);
  client.on('error', () => undefined);
  t.after(async () => {
    client.destroy();
    await scaler[Symbol.asyncDispose]();
  });
  const open = (method: string, body: Buffer, headers: Record<string, string> = {}) => {
    const stream = client.request({
      ':method': 'POST',
      ':path': `${SERVICE}${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    stream.on('error', () => undefined);
    stream.end(body);
    return stream;
  };
  return {
    demand,
    open,
    pass: (ms: number) => (now += ms),
    report: (open: number, answered: number, gateway = 'a') =>
      demand.take({ gateway, functions: [{ function: 'shop/orders', open, answered }] }, now),
    /** Status and message of a call with one answer. */
    async call(method: string, body: Buffer, headers?: Record<string, string>) {
      const stream = open(method, body, headers);
      const chunks: Buffer[] = [];
      let [status, text]: [unknown, unknown] = [undefined, undefined];
      const note = (fields: Record<string, unknown>) => {
        status = fields['grpc-status'] ?? status;
        text = fields['grpc-message'] ?? text;
      };
      stream.on('response', note).on('trailers', note);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      await once(stream, 'close');
      const said = decodeURI(String(text ?? ''));
      return { status: Number(status), said, message: Buffer.concat(chunks).subarray(5) };
    },
  };
}

test('KEDA asks for the metric, its target and its value', async (t) => {
  const { call, report } = await start(t);
  report(7, 0);
  report(5, 3, 'b');
  const spec = await call(
    'GetMetricSpec',
    framed(reference('orders', { target: '50', scalerAddress: 'x:1' })),
  );
  const metric = (value: number) =>
    bytesField(
      1,
      Buffer.concat([bytesField(1, 'mayfly_open_requests'), wholeField(2, value), doubleField(3, value)]),
    );
  assert.deepEqual([spec.status, spec.message], [0, metric(50)]);
  const asked = Buffer.concat([bytesField(1, reference('orders')), bytesField(2, 'mayfly_open_requests')]);
  assert.deepEqual((await call('GetMetrics', framed(asked))).message, metric(12));
  const other = Buffer.concat([bytesField(1, reference('unknown'))]);
  assert.deepEqual((await call('GetMetrics', framed(other))).message, metric(0));
});

test('a load that falls is remembered for some seconds, one that rises counts at once', async (t) => {
  const { demand, report, pass } = await start(t);
  const load = (ms: number) => demand.load('shop/orders', pass(ms));
  report(0, 0);
  pass(1000);
  report(100, 0);
  assert.equal(load(0), 100);
  for (let second = 0; second < 60; second++) {
    pass(1000);
    report(100, second);
  }
  pass(1000);
  report(0, 100);
  assert.ok(load(0) > 70 && load(0) < 90, `${load(0)}`);
  for (let second = 0; second < 30; second++) {
    pass(1000);
    report(0, 100);
  }
  assert.ok(load(0) < 1);
  report(40, 100);
  assert.equal(load(6000), 0, 'a gateway that is silent has nothing to carry that is known');
});

test('active: with a request and a moment after it; a gateway that falls silent amid requests counts on', async (t) => {
  const { call, report, pass } = await start(t);
  const isActive = async () =>
    (await call('IsActive', framed(reference('orders')))).message.equals(wholeField(1, 1));
  assert.equal(await isActive(), false, 'nobody reports');
  report(0, 5);
  assert.equal(await isActive(), false, 'a gateway that begins to report has no request for that');
  pass(1000);
  report(0, 6);
  assert.equal(await isActive(), true, 'one came and went between two reports');
  pass(3000);
  report(0, 6);
  assert.equal(await isActive(), false);
  report(2, 6);
  pass(10_000);
  assert.equal(await isActive(), true, 'silent amid requests');
  pass(400_000);
  assert.equal(await isActive(), false, 'gone');
});

test('who listens is told when it turns', async (t) => {
  const { open, report } = await start(t);
  const stream = open('StreamIsActive', framed(reference('orders')));
  const [first] = (await once(stream, 'data')) as [Buffer];
  assert.deepEqual(first.subarray(5), wholeField(1, 0));
  report(1, 0);
  const [second] = (await once(stream, 'data')) as [Buffer];
  assert.deepEqual(second.subarray(5), wholeField(1, 1));
  stream.destroy();
});

test('what is no call is answered with a status and a sentence', async (t) => {
  const { call, open } = await start(t);
  const orders = reference('orders');
  for (const [method, body, status, said] of [
    ['Unknown', framed(orders), 12, /no method/],
    ['__proto__', framed(orders), 12, /no method/],
    ['IsActive', Buffer.alloc(0), 3, /one whole message/],
    ['IsActive', framed(orders).subarray(0, 8), 3, /one whole message/],
    ['IsActive', Buffer.concat([framed(orders), framed(orders)]), 3, /one whole message/],
    ['IsActive', framed(orders, 1), 12, /Compressed/],
    ['IsActive', framed(Buffer.alloc(70_000)), 8, /at most/],
    ['IsActive', framed(Buffer.from([0x0a, 0x7f])), 3, /longer than the message/],
    ['IsActive', framed(Buffer.from([0x0a, 0x01, 0xff])), 3, /cannot be read/],
    ['IsActive', framed(Buffer.from([0x0b])), 3, /wire type/],
    ['GetMetricSpec', framed(orders), 3, /metadata\.target must be/],
    ['GetMetricSpec', framed(reference('orders', { target: '-1' })), 3, /metadata\.target must be/],
  ] as const) {
    const answer = await call(method, body);
    assert.equal(answer.status, status, `${method} ${answer.said}`);
    assert.match(answer.said, said);
  }
  const stream = open('IsActive', framed(orders), { 'content-type': 'application/json' });
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  assert.equal(headers[':status'], 415);
});

test('no bytes break the readers otherwise than with an error that is foreseen', () => {
  const survives = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      assert.ok(error instanceof RangeError || error instanceof TypeError, String(error));
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      survives(() => [...fieldsOf(bytes)]);
      survives(() => readScaledObjectRef(bytes));
      survives(() => readMetricsRequest(bytes));
    }),
    { numRuns: 5000 },
  );
  fc.assert(
    fc.property(fc.string(), fc.dictionary(fc.string(), fc.string()), (name, metadata) => {
      const read = readScaledObjectRef(reference(name, metadata));
      assert.equal(read.name, name.toWellFormed());
      const expected = Object.entries(metadata).map(([key, value]) => [
        key.toWellFormed(),
        value.toWellFormed(),
      ]);
      assert.deepEqual([...read.metadata], [...new Map(expected as [string, string][])]);
    }),
  );
});
