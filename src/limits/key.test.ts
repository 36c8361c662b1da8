import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KeyPart } from '../model/route.ts';
import { addressGroup } from './address.ts';
import { KeyHash, LimitKey } from './key.ts';
import { KeyPlan, type KeySource } from './key-plan.ts';
import { RateLimit } from './limit.ts';

function rotate(x: number, n: number): number {
  return (x << n) | (x >>> (32 - n));
}

/** HalfSipHash-2-4-64 as in the paper's reference code, over whole bytes: slow and plain. */
function halfSipHash(seed: readonly [number, number], bytes: Uint8Array): readonly [number, number] {
  const v = [seed[0], seed[1] ^ 0xee, 0x6c796765 ^ seed[0], 0x74656462 ^ seed[1]];
  const rounds = (n: number): void => {
    for (let i = 0; i < n; i++) {
      v[0] = (v[0] + v[1]) | 0;
      v[1] = rotate(v[1], 5) ^ v[0];
      v[0] = rotate(v[0], 16);
      v[2] = (v[2] + v[3]) | 0;
      v[3] = rotate(v[3], 8) ^ v[2];
      v[0] = (v[0] + v[3]) | 0;
      v[3] = rotate(v[3], 7) ^ v[0];
      v[2] = (v[2] + v[1]) | 0;
      v[1] = rotate(v[1], 13) ^ v[2];
      v[2] = rotate(v[2], 16);
    }
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const absorb = (word: number): void => {
    v[3] ^= word;
    rounds(2);
    v[0] ^= word;
  };
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) absorb(view.getInt32(at, true));
  let last = bytes.length << 24;
  for (let shift = 0; at < bytes.length; at++, shift += 8) last |= bytes[at] << shift;
  absorb(last);
  v[2] ^= 0xee;
  rounds(4);
  const low = v[1] ^ v[3];
  v[1] ^= 0xdd;
  rounds(4);
  return [low, v[1] ^ v[3]];
}

test('the plain HalfSipHash of this test gives the published vector for the empty message', () => {
  const [low, high] = halfSipHash([0x03020100, 0x07060504], new Uint8Array(0));
  const bytes = Buffer.alloc(8);
  bytes.writeInt32LE(low, 0);
  bytes.writeInt32LE(high, 4);
  assert.equal(bytes.toString('hex'), '218d1f59b9b83cc8');
});

test('KeyHash is HalfSipHash-2-4 over its framed words', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), fc.uint8Array({ maxLength: 100 }), (a, b, value) => {
      const padded = Buffer.alloc(4 + (Math.floor(value.length / 4) + 1) * 4);
      padded.writeInt32LE(value.length | (2 << 29), 0);
      padded.set(value, 4);
      const [low, high] = halfSipHash([a, b], padded);
      const key = new KeyHash(a, b).reset().bytes(value, 0, value.length).finish(new LimitKey());
      assert.deepEqual([key.low, key.high], [low, high === 0 ? 1 : high]);
    }),
  );
});

function hashed(...parts: string[]): string {
  const hash = new KeyHash(1, 2).reset();
  for (const part of parts) hash.text(part);
  const { low, high } = hash.finish(new LimitKey());
  return `${low}:${high}`;
}

test('parts do not run into each other, and the seed matters', () => {
  assert.notEqual(hashed('ab', 'c'), hashed('a', 'bc'));
  assert.notEqual(hashed('ab'), hashed('ab', ''));
  assert.equal(hashed('ab', 'c'), hashed('ab', 'c'));
  const other = LimitKey.of(3, 4, 'ab');
  assert.notEqual(hashed('ab'), `${other.low}:${other.high}`);
});

test('a million keys of one kind do not collide', () => {
  const seen = new Set<bigint>();
  const hash = new KeyHash(123, 456);
  const key = new LimitKey();
  for (let i = 0; i < 1_000_000; i++) {
    hash.reset().text(`user-${i}`).finish(key);
    seen.add((BigInt(key.high) << 32n) | BigInt(key.low >>> 0));
  }
  assert.equal(seen.size, 1_000_000);
});

test('addresses: IPv4 alone, IPv6 by /64, mapped IPv4 as IPv4', () => {
  assert.equal(addressGroup('192.0.2.7'), '192.0.2.7');
  assert.equal(addressGroup('::ffff:192.0.2.7'), '192.0.2.7');
  assert.equal(addressGroup('::FFFF:192.0.2.7'), '192.0.2.7');
  assert.equal(addressGroup('2001:db8:0:1::1'), '2001:db8:0:1::/64');
  assert.equal(addressGroup('2001:0db8:0000:0001:ffff:ffff:ffff:ffff'), '2001:db8:0:1::/64');
  assert.equal(addressGroup('fe80::1%eth0'), 'fe80:0:0:0::/64');
  assert.equal(addressGroup('::1'), '0:0:0:0::/64');
  assert.equal(addressGroup('64:ff9b::192.0.2.33'), '64:ff9b:0:0::/64');
  assert.notEqual(addressGroup('2001:db8:0:1::1'), addressGroup('2001:db8:0:2::1'));
});

test('all addresses of one /64 are one, whatever form they are written in', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const group = addressGroup(address);
      assert.match(group, /^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){3}::\/64$|^\d+\.\d+\.\d+\.\d+$/);
    }),
  );
});

function planFor(key: readonly KeyPart[], functionName = 'shop'): KeyPlan {
  const spec = { name: 'default', requestsPerSecond: 1, burst: 1, windowMs: 1000, key };
  return new KeyPlan(new RateLimit(spec), functionName);
}

function keyText(plan: KeyPlan, source: Partial<KeySource>): string {
  const whole: KeySource = {
    subject: () => null,
    address: () => '192.0.2.1',
    header: () => null,
    claim: () => undefined,
    ...source,
  };
  const key = plan.keyOf(whole, new KeyHash(1, 2), new LimitKey());
  return `${key.low}:${key.high}`;
}

test('each part of a key tells requests apart, and only that part', () => {
  const byUser = planFor([{ by: 'user' }]);
  assert.notEqual(keyText(byUser, { subject: () => 'a' }), keyText(byUser, { subject: () => 'b' }));
  assert.equal(
    keyText(byUser, { subject: () => 'a' }),
    keyText(byUser, { subject: () => 'a', address: () => '192.0.2.2' }),
  );
  const byFunction = [{ by: 'function' }, { by: 'user' }] as const;
  const a = { subject: (): string => 'a' };
  assert.notEqual(keyText(planFor(byFunction, 'f'), a), keyText(planFor(byFunction, 'g'), a));
  assert.equal(keyText(planFor([{ by: 'user' }], 'f'), a), keyText(planFor([{ by: 'user' }], 'g'), a));
  const byHeader = planFor([{ by: 'header', name: 'x-tenant' }]);
  assert.notEqual(keyText(byHeader, { header: () => '' }), keyText(byHeader, { header: () => null }));
  assert.notEqual(keyText(byHeader, { header: () => 't1' }), keyText(byHeader, { header: () => 't2' }));
  const byClaim = planFor([{ by: 'claim', name: 'tenant' }]);
  assert.notEqual(keyText(byClaim, { claim: () => 1 }), keyText(byClaim, { claim: () => '1' }));
  assert.notEqual(keyText(byClaim, { claim: () => null }), keyText(byClaim, { claim: () => undefined }));
});

test('who is not signed in is counted by address and cannot pose as a user', () => {
  const byUser = planFor([{ by: 'user' }]);
  const anonymous = keyText(byUser, { address: () => '192.0.2.1' });
  assert.notEqual(anonymous, keyText(byUser, { address: () => '192.0.2.2' }));
  assert.notEqual(anonymous, keyText(byUser, { subject: () => '192.0.2.1' }));
});

test('keys of a session may be kept only if nothing but the session is in them', () => {
  assert.ok(planFor([{ by: 'function' }, { by: 'user' }, { by: 'claim', name: 'tenant' }]).perSession);
  assert.ok(!planFor([{ by: 'user' }, { by: 'ip' }]).perSession);
  assert.ok(!planFor([{ by: 'header', name: 'x' }]).perSession);
});
