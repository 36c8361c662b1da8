import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { corpus } from './http-corpus.ts';
import { Differential } from './http-differential.ts';
import { HttpFuzz } from './http-fuzz.ts';
import { type Observation, Subject } from './http-subject.ts';
import { stricter } from './http-stricter.ts';

const CASES = 20_000;
const noCuts: readonly number[] = [];

function statuses({ requests, refusal }: Observation): number[] {
  return [...requests.map(() => 200), ...(refusal === 0 ? [] : [refusal])];
}

describe('tricks of public research', () => {
  const subject = new Subject();
  for (const trick of corpus) {
    const bytes = Buffer.from(trick.bytes, 'latin1');
    test(`${trick.name} (${trick.source})`, () => {
      const whole = subject.observe(bytes, noCuts);
      assert.deepEqual(statuses(whole), trick.expected);
      assert.equal(
        new Set(corpus.filter(({ name }) => name === trick.name)).size,
        1,
        'two tricks of that name',
      );
    });
  }

  test('a cut at any byte changes nothing', () => {
    for (const trick of corpus) {
      const bytes = Buffer.from(trick.bytes, 'latin1');
      const whole = subject.observe(bytes, noCuts);
      // The endless ones are refused on the way, at a place that depends on the cuts.
      const step = bytes.length > 2000 ? 997 : 1;
      for (let cut = 1; cut < bytes.length; cut += step) {
        const parts = subject.observe(bytes, [cut]);
        assert.deepEqual(parts, whole, `${trick.name}, cut at ${cut}`);
      }
    }
  });

  test('byte by byte changes nothing', () => {
    for (const trick of corpus) {
      const bytes = Buffer.from(trick.bytes, 'latin1');
      if (bytes.length > 2000) continue;
      const everywhere = Array.from({ length: Math.max(bytes.length - 1, 0) }, (_, i) => i + 1);
      assert.deepEqual(subject.observe(bytes, everywhere), subject.observe(bytes, noCuts), trick.name);
    }
  });

  test('llhttp agrees, or the list says why not', () => {
    const differential = new Differential();
    for (const trick of corpus) {
      assert.equal(differential.compare(Buffer.from(trick.bytes, 'latin1'), noCuts), null, trick.name);
    }
  });
});

test(`${CASES} generated streams: llhttp agrees, or the list says why not`, () => {
  const fuzz = new HttpFuzz();
  for (let seed = 1; seed <= CASES; seed++) {
    const disagreement = fuzz.run(seed);
    assert.equal(disagreement, null, `seed ${seed}`);
  }
  // A fuzzer that never gets to a rule does not test it.
  const reached = fuzz.differential.reasons;
  for (const { name } of stricter) assert.ok(reached.has(name), `never reached: ${name}`);
  assert.ok(
    fuzz.differential.accepted > CASES / 10,
    `only ${fuzz.differential.accepted} requests were accepted`,
  );
});
