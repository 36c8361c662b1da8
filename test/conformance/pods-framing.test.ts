/** A pod takes and refuses exactly what the gateway does, whatever arrives and however it is cut. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { corpus } from '../fuzz/http-corpus.ts';
import { stream } from '../fuzz/http-generator.ts';
import { Random } from '../fuzz/random.ts';
import { GatewayHttp } from '../support/pods/gateway-http.ts';
import { builtAdapter } from '../support/pods/builds.ts';
import { observePod, type Stream } from '../support/pods/pod-http.ts';

/** Generated streams in one run; MAYFLY_FUZZ_CASES asks for more. */
const CASES = Number(process.env['MAYFLY_FUZZ_CASES'] ?? 20_000);

let module: WebAssembly.Module;
before(async () => {
  module = new WebAssembly.Module((await builtAdapter()) as BufferSource);
});

const gateway = new GatewayHttp();

/** Returns how many requests were taken. */
function compare(streams: Iterable<Stream>): number {
  let taken = 0;
  observePod(module, streams, ({ bytes, cuts }, pod) => {
    const name = `cut at [${cuts.join(', ')}] of ${JSON.stringify(bytes.toString('latin1'))}`;
    assert.deepEqual(pod, gateway.observe(bytes, cuts), name.slice(0, 4000));
    taken += pod.requests.length;
  });
  return taken;
}

const tricks = corpus.map(({ bytes }) => Buffer.from(bytes, 'latin1'));

test('every trick of public research: the same answers, byte for byte', () => {
  assert.ok(compare(tricks.map((bytes) => ({ bytes, cuts: [] }))) > 30);
});

test('the same with a cut at any byte', () => {
  function* streams(): Generator<Stream> {
    for (const bytes of tricks) {
      // The endless ones are refused on the way: some places will do.
      const step = bytes.length > 2000 ? 997 : 1;
      for (let cut = 1; cut < bytes.length; cut += step) yield { bytes, cuts: [cut] };
    }
  }
  compare(streams());
});

test('the same byte by byte', () => {
  const short = tricks.filter((bytes) => bytes.length > 1 && bytes.length <= 2000);
  compare(short.map((bytes) => ({ bytes, cuts: Array.from({ length: bytes.length - 1 }, (_, i) => i + 1) })));
});

test(`${CASES} generated streams: the same answers`, () => {
  function* streams(): Generator<Stream> {
    for (let seed = 1; seed <= CASES; seed++) yield stream(new Random(seed));
  }
  assert.ok(compare(streams()) > CASES / 10);
});
