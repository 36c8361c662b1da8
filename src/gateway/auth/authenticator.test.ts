import assert from 'node:assert/strict';
import { createHmac, createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  base64url,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  jwtVerify,
  SignJWT,
  type CryptoKey,
  type JWK,
} from 'jose';
import type { AuthSpec } from '../../model/snapshot.ts';
import { issueToken } from '../../tokens/issue.ts';
import { Authenticator, type Verdict } from './authenticator.ts';
import { AuthFailure, failures } from './failure.ts';

const SECRET = Buffer.from('a secret of thirty-two bytes ok!');
const NOW = 1_800_000_000_000;
const seconds = NOW / 1000;

function specOf(overrides: Partial<AuthSpec> = {}): AuthSpec {
  return {
    secret: SECRET,
    jwks: null,
    issuer: null,
    audience: null,
    maxTokenAgeMs: null,
    clockToleranceMs: 0,
    ...overrides,
  };
}

function authenticatorOf(
  overrides: Partial<AuthSpec> = {},
  onUnknownKey: (kid: string) => void = () => {},
): Authenticator {
  return new Authenticator(specOf(overrides), { onUnknownKey, keyWaitMs: 50 });
}

function encoded(part: unknown): string {
  return base64url.encode(typeof part === 'string' ? part : JSON.stringify(part));
}

/** An HS256 token over exactly these texts, however odd. */
function sign(header: unknown, payload: unknown, secret: Uint8Array | string = SECRET): string {
  const input = `${encoded(header)}.${encoded(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

const HS256 = { alg: 'HS256', typ: 'JWT' };

function present(
  authenticator: Authenticator,
  value: string | Buffer,
  now = NOW,
): Verdict | Promise<Verdict> {
  // In the middle of other bytes, as in a request.
  const bytes = Buffer.concat([
    Buffer.from('authorization: '),
    Buffer.from(value as string),
    Buffer.from('\r\nx: .y.z\r\n'),
  ]);
  return authenticator.authenticate(bytes, 15, bytes.length - 11, now);
}

function bearer(authenticator: Authenticator, token: string, now = NOW): Verdict | Promise<Verdict> {
  return present(authenticator, `Bearer ${token}`, now);
}

async function reasonOf(verdict: Verdict | Promise<Verdict>): Promise<string> {
  const settled = await verdict;
  return settled instanceof AuthFailure ? settled.reason : 'session';
}

async function keyPair(alg: string, kid?: string): Promise<{ privateKey: CryptoKey; jwk: JWK }> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { privateKey, jwk: { ...jwk, alg, use: 'sig', ...(kid === undefined ? {} : { kid }) } };
}

function jwksOf(...keys: JWK[]): AuthSpec['jwks'] {
  return { keys: keys as Record<string, unknown>[] };
}

function signWith(
  key: CryptoKey,
  alg: string,
  kid?: string,
  claims: Record<string, unknown> = { sub: 'u1' },
): Promise<string> {
  return new SignJWT({ exp: seconds + 60, ...claims })
    .setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) })
    .sign(key);
}

test('a token that we issue is let in, and found by its bytes from then on', async () => {
  const authenticator = authenticatorOf();
  const value = Buffer.from(`Bearer ${await issueToken(SECRET, { sub: 'u1', role: 'user' }, 3600)}`);
  assert.equal(authenticator.lookup(value, 0, value.length, Date.now()), null);
  const session = await authenticator.authenticate(value, 0, value.length, Date.now());
  assert.ok(!(session instanceof AuthFailure));
  assert.equal(session.subject, 'u1');
  assert.equal(session.claims['role'], 'user');
  assert.deepEqual(JSON.parse(session.json.toString()), session.claims);
  assert.equal(authenticator.lookup(value, 0, value.length, Date.now()), session);
  assert.equal(authenticator.lookup(value, 0, value.length, session.expiresAtMs - 1), session);
  assert.equal(authenticator.lookup(value, 0, value.length, session.expiresAtMs), null);
});

test('a cached token is no longer good once it has expired', async () => {
  const authenticator = authenticatorOf();
  const token = sign(HS256, { sub: 'u1', exp: seconds + 10 });
  assert.equal(await reasonOf(bearer(authenticator, token)), 'session');
  assert.equal(await reasonOf(bearer(authenticator, token, NOW + 9999)), 'session');
  assert.equal(await reasonOf(bearer(authenticator, token, NOW + 10_000)), 'expired');
});

test('tokens that must not be let in', async () => {
  const good = { sub: 'u1', exp: seconds + 60 };
  const token = sign(HS256, good);
  const [header, payload, signature] = token.split('.') as [string, string, string];
  const other = base64url.encode(JSON.stringify({ ...good, sub: 'admin' }));
  const lastTwin = signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(42) + 1);
  const cases: [string, string, string][] = [
    ['forged payload', `${header}.${other}.${signature}`, 'signature'],
    ['wrong secret', sign(HS256, good, 'another'), 'signature'],
    ['empty secret', sign(HS256, good, ''), 'signature'],
    ['alg none', `${base64url.encode('{"alg":"none"}')}.${payload}.`, 'malformed'],
    [
      'alg none with a signature',
      `${base64url.encode('{"alg":"none"}')}.${payload}.${signature}`,
      'algorithm',
    ],
    ['alg None', `${base64url.encode('{"alg":"None"}')}.${payload}.${signature}`, 'algorithm'],
    ['alg hs256', sign({ alg: 'hs256' }, good), 'algorithm'],
    ['alg HS512 with this secret', sign({ alg: 'HS512' }, good), 'algorithm'],
    ['alg RS256 without keys', sign({ alg: 'RS256' }, good), 'algorithm'],
    ['alg missing', sign({ typ: 'JWT' }, good), 'malformed'],
    ['alg in a list', sign({ alg: ['HS256'] }, good), 'malformed'],
    ['crit', sign({ ...HS256, crit: ['x'], x: 1 }, good), 'malformed'],
    ['unencoded payload', sign({ ...HS256, b64: false, crit: ['b64'] }, good), 'malformed'],
    ['kid of a wrong type', sign({ ...HS256, kid: 7 }, good), 'malformed'],
    ['header null', sign('null', good), 'malformed'],
    ['header a list', sign('[]', good), 'malformed'],
    ['signature missing', `${header}.${payload}`, 'malformed'],
    ['signature empty', `${header}.${payload}.`, 'malformed'],
    ['four parts', `${token}.x`, 'malformed'],
    ['five parts (JWE)', 'a.b.c.d.e', 'malformed'],
    ['padding', `${token}=`, 'signature'],
    ['signature cut', token.slice(0, -1), 'signature'],
    ['another encoding of the same signature', `${header}.${payload}.${lastTwin}`, 'signature'],
    ['space inside', `${header}. ${payload}.${signature}`, 'signature'],
    ['no claims object', sign(HS256, '"text"'), 'malformed'],
    ['claims null', sign(HS256, 'null'), 'malformed'],
    ['claims a list', sign(HS256, '[1]'), 'malformed'],
    ['claims no JSON', sign(HS256, '{"sub":"u1"'), 'malformed'],
    ['no exp', sign(HS256, { sub: 'u1' }), 'no-expiry'],
    ['exp a string', sign(HS256, { exp: `${seconds + 60}` }), 'claims'],
    ['exp null', sign(HS256, { exp: null }), 'claims'],
    ['exp infinite', sign(HS256, '{"exp":1e999}'), 'claims'],
    ['expired', sign(HS256, { exp: seconds }), 'expired'],
    ['long expired', sign(HS256, { exp: -1e300 }), 'expired'],
    ['not yet valid', sign(HS256, { ...good, nbf: seconds + 1 }), 'not-yet-valid'],
    ['nbf a string', sign(HS256, { ...good, nbf: '0' }), 'claims'],
    ['iat a string', sign(HS256, { ...good, iat: '0' }), 'claims'],
    ['sub a number', sign(HS256, { ...good, sub: 1 }), 'claims'],
    ['sub an object', sign(HS256, { ...good, sub: {} }), 'claims'],
    ['a later duplicate exp in the past', sign(HS256, `{"exp":${seconds + 60},"exp":1}`), 'expired'],
    ['too large', sign(HS256, { ...good, pad: 'x'.repeat(9000) }), 'too-large'],
  ];
  for (const [what, attack, reason] of cases) {
    assert.equal(await reasonOf(bearer(authenticatorOf(), attack)), reason, what);
  }
  assert.equal(
    await reasonOf(bearer(authenticatorOf(), token)),
    'session',
    'the token that they were made from is good',
  );
});

test('a payload that is not UTF-8 is no token', async () => {
  const input = `${base64url.encode(JSON.stringify(HS256))}.${base64url.encode(Buffer.from([0x7b, 0xff, 0x7d]))}`;
  const token = `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`;
  assert.equal(await reasonOf(bearer(authenticatorOf(), token)), 'malformed');
});

test('of duplicate claims the last counts, for us and for the guest', async () => {
  const session = await bearer(
    authenticatorOf(),
    sign(HS256, `{"role":"admin","exp":${seconds + 60},"role":"user"}`),
  );
  assert.ok(!(session instanceof AuthFailure));
  assert.equal(session.claims['role'], 'user');
  assert.doesNotMatch(session.json.toString(), /admin/);
});

test('claims named like parts of every object stay data', async () => {
  const session = await bearer(
    authenticatorOf(),
    sign(HS256, `{"exp":${seconds + 60},"__proto__":{"role":"admin"},"sub":"u"}`),
  );
  assert.ok(!(session instanceof AuthFailure));
  assert.equal(session.claims['role'], undefined);
});

test('credentials of another form', async () => {
  const token = sign(HS256, { exp: seconds + 60 });
  for (const value of [
    '',
    'Bearer',
    'Bearer ',
    `Basic ${token}`,
    token,
    `Bearer\t${token}`,
    `Bearer${token}`,
  ]) {
    const verdict = await present(authenticatorOf(), value);
    assert.ok(verdict instanceof AuthFailure, value);
    assert.equal(verdict.problem, 'unauthenticated');
  }
  for (const value of [`bearer ${token}`, `BEARER ${token}`, `Bearer   ${token}`]) {
    assert.equal(await reasonOf(present(authenticatorOf(), value)), 'session', value);
  }
});

test('issuer, audience, age and clock tolerance', async () => {
  const claims = { exp: seconds + 60, iss: 'https://id.example', aud: ['shop', 'api'], iat: seconds };
  const check = (spec: Partial<AuthSpec>, change: object, now = NOW): Promise<string> =>
    reasonOf(bearer(authenticatorOf(spec), sign(HS256, { ...claims, ...change }), now));
  const issuer = { issuer: 'https://id.example' };
  assert.equal(await check(issuer, {}), 'session');
  assert.equal(await check(issuer, { iss: 'https://evil.example' }), 'issuer');
  assert.equal(await check(issuer, { iss: ['https://id.example'] }), 'issuer');
  assert.equal(await check(issuer, { iss: undefined }), 'issuer');
  const audience = { audience: 'shop' };
  assert.equal(await check(audience, {}), 'session');
  assert.equal(await check(audience, { aud: 'shop' }), 'session');
  assert.equal(await check(audience, { aud: 'shopping' }), 'audience');
  assert.equal(await check(audience, { aud: ['api'] }), 'audience');
  assert.equal(await check(audience, { aud: { shop: true } }), 'audience');
  assert.equal(await check(audience, { aud: undefined }), 'audience');
  const age = { maxTokenAgeMs: 30_000 };
  assert.equal(await check(age, {}), 'session');
  assert.equal(await check(age, {}, NOW + 30_000), 'session');
  assert.equal(await check(age, {}, NOW + 31_000), 'too-old');
  assert.equal(await check(age, { iat: seconds + 5 }), 'not-yet-valid');
  assert.equal(await check(age, { iat: undefined }), 'claims');
  const tolerant = { clockToleranceMs: 5000 };
  assert.equal(await check(tolerant, { exp: seconds - 4 }), 'session');
  assert.equal(await check(tolerant, { exp: seconds - 5 }), 'expired');
  assert.equal(await check(tolerant, { nbf: seconds + 5 }), 'session');
  assert.equal(await check(tolerant, { nbf: seconds + 6 }), 'not-yet-valid');
});

test('a token kept for its age is dropped when it gets too old, not when it expires', async () => {
  const authenticator = authenticatorOf({ maxTokenAgeMs: 10_000 });
  const token = sign(HS256, { exp: seconds + 3600, iat: seconds });
  assert.equal(await reasonOf(bearer(authenticator, token)), 'session');
  assert.equal(await reasonOf(bearer(authenticator, token, NOW + 11_000)), 'too-old');
});

test('every public-key algorithm that we name works; a key is good for its own algorithm only', async () => {
  for (const alg of ['RS256', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA']) {
    const { privateKey, jwk } = await keyPair(alg, 'k1');
    const token = await signWith(privateKey, alg, 'k1');
    assert.equal(
      await reasonOf(bearer(authenticatorOf({ secret: null, jwks: jwksOf(jwk) }), token)),
      'session',
      alg,
    );
    const bound = { ...jwk, alg: alg === 'RS256' ? 'PS256' : 'RS256' };
    assert.equal(
      await reasonOf(bearer(authenticatorOf({ secret: null, jwks: jwksOf(bound) }), token)),
      'unknown-key',
      alg,
    );
    const encryption = { ...jwk, use: 'enc' };
    assert.equal(
      await reasonOf(bearer(authenticatorOf({ secret: null, jwks: jwksOf(encryption) }), token)),
      'unknown-key',
      alg,
    );
    const broken = token.slice(0, -6) + (token.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA');
    assert.equal(
      await reasonOf(bearer(authenticatorOf({ secret: null, jwks: jwksOf(jwk) }), broken)),
      'signature',
      alg,
    );
  }
});

test('algorithm confusion: a public key is never used as a secret', async () => {
  const { jwk } = await keyPair('RS256', 'k1');
  const pem = await exportSPKI(
    createPublicKey({ key: jwk as Record<string, unknown>, format: 'jwk' }) as never,
  );
  const claims = { sub: 'admin', exp: seconds + 60 };
  for (const secret of [
    pem,
    pem.trim(),
    JSON.stringify(jwk),
    jwk.n as string,
    base64url.decode(jwk.n as string),
  ]) {
    const token = sign({ ...HS256, kid: 'k1' }, claims, secret);
    assert.equal(
      await reasonOf(bearer(authenticatorOf({ secret: null, jwks: jwksOf(jwk) }), token)),
      'algorithm',
    );
    assert.equal(await reasonOf(bearer(authenticatorOf({ jwks: jwksOf(jwk) }), token)), 'signature');
  }
});

test('a symmetric key in a key set is not used, whatever it says of itself', async () => {
  const oct = { kty: 'oct', k: base64url.encode(SECRET), kid: 'k1', alg: 'HS256' };
  const token = sign({ ...HS256, kid: 'k1' }, { exp: seconds + 60 });
  assert.equal(
    await reasonOf(bearer(authenticatorOf({ secret: null, jwks: jwksOf(oct) }), token)),
    'algorithm',
  );
});

test('a key that a token brings along is not trusted, and a kid is only a name', async () => {
  const ours = await keyPair('ES256', 'k1');
  const theirs = await keyPair('ES256', 'k1');
  const spec = { secret: null, jwks: jwksOf(ours.jwk) };
  const jwk = theirs.jwk;
  for (const extra of [
    { jwk },
    { jku: 'https://evil.example/jwks' },
    { x5u: 'https://evil.example/x' },
    { x5c: ['MIIB'] },
  ]) {
    const token = await new SignJWT({ exp: seconds + 60 })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', ...extra } as never)
      .sign(theirs.privateKey);
    assert.equal(await reasonOf(bearer(authenticatorOf(spec), token)), 'signature', Object.keys(extra)[0]);
  }
  for (const kid of ['../../dev/null', "k1' OR '1'='1", '__proto__', 'constructor', '']) {
    const token = await signWith(theirs.privateKey, 'ES256', kid);
    assert.equal(await reasonOf(bearer(authenticatorOf(spec), token)), 'unknown-key', kid);
  }
});

test('a token without kid is tried with the keys that fit', async () => {
  const [a, b] = [await keyPair('ES256', 'a'), await keyPair('ES256', 'b')];
  const stranger = await keyPair('ES256');
  const spec = { secret: null, jwks: jwksOf(a.jwk, b.jwk) };
  assert.equal(
    await reasonOf(bearer(authenticatorOf(spec), await signWith(b.privateKey, 'ES256'))),
    'session',
  );
  assert.equal(
    await reasonOf(bearer(authenticatorOf(spec), await signWith(stranger.privateKey, 'ES256'))),
    'signature',
  );
});

test('a short RSA key is refused', async () => {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(
    {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 1024,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: 'SHA-256',
    },
    true,
    ['sign', 'verify'],
  );
  const input = `${base64url.encode('{"alg":"RS256","kid":"k"}')}.${base64url.encode(`{"exp":${seconds + 60}}`)}`;
  const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', privateKey, Buffer.from(input));
  const token = `${input}.${base64url.encode(new Uint8Array(signature))}`;
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k' };
  assert.equal(
    await reasonOf(bearer(authenticatorOf({ secret: null, jwks: jwksOf(jwk) }), token)),
    'signature',
  );
});

test('an unknown key is asked for once, and the token is tried again when the new set comes', async () => {
  const [old, fresh] = [await keyPair('ES256', 'old'), await keyPair('ES256', 'new')];
  const asked: string[] = [];
  const authenticator = authenticatorOf({ secret: null, jwks: jwksOf(old.jwk) }, (kid) => {
    asked.push(kid);
    setImmediate(() => authenticator.update(specOf({ secret: null, jwks: jwksOf(old.jwk, fresh.jwk) })));
  });
  const token = await signWith(fresh.privateKey, 'ES256', 'new');
  const attack = await signWith(fresh.privateKey, 'ES256', 'made-up');
  const [first, second] = await Promise.all([
    reasonOf(bearer(authenticator, token)),
    reasonOf(bearer(authenticator, attack)),
  ]);
  assert.deepEqual([first, second], ['session', 'unknown-key']);
  assert.deepEqual(asked, ['new'], 'one question for both');
  assert.equal(
    await reasonOf(bearer(authenticator, await signWith(fresh.privateKey, 'ES256', 'more'))),
    'unknown-key',
  );
  assert.deepEqual(asked, ['new'], 'and none while it cools down');
});

test('made-up key ids that wait for a new key set do not keep out tokens whose key is known', async () => {
  const { privateKey, jwk } = await keyPair('ES256', 'k1');
  const spec = specOf({ secret: null, jwks: jwksOf(jwk) });
  const authenticator = new Authenticator(spec, { onUnknownKey: () => {}, keyWaitMs: 10_000 });
  const rest = `${encoded({ exp: seconds + 60 })}.${Buffer.alloc(64, 1).toString('base64url')}`;
  let settled = 0;
  const attack = Array.from({ length: 1024 }, async (_, i) => {
    const reason = await reasonOf(
      bearer(authenticator, `${encoded({ alg: 'ES256', kid: `made-up-${i}` })}.${rest}`),
    );
    settled++;
    return reason;
  });
  await Promise.all(attack.slice(256));
  assert.equal(settled, 1024 - 256, 'the others still wait');
  assert.equal(await reasonOf(bearer(authenticator, await signWith(privateKey, 'ES256', 'k1'))), 'session');
  authenticator.update({ ...spec, issuer: 'another' });
  assert.deepEqual(new Set(await Promise.all(attack)), new Set(['unknown-key']));
});

test('requests with the same new token are verified once, together', async () => {
  const { privateKey, jwk } = await keyPair('ES256', 'k1');
  const authenticator = authenticatorOf({ secret: null, jwks: jwksOf(jwk) });
  const token = await signWith(privateKey, 'ES256', 'k1');
  const verdicts = await Promise.all(Array.from({ length: 50 }, () => bearer(authenticator, token)));
  assert.equal(new Set(verdicts).size, 1);
  assert.ok(!(verdicts[0] instanceof AuthFailure));
});

test('verifications under way are bounded: beyond them 503, and no lasting harm', async () => {
  const { privateKey, jwk } = await keyPair('ES256', 'k1');
  const authenticator = authenticatorOf({ secret: null, jwks: jwksOf(jwk) });
  const token = await signWith(privateKey, 'ES256', 'k1');
  const [header, payload] = token.split('.') as [string, string];
  const forged = Array.from({ length: 3000 }, (_, i) =>
    bearer(
      authenticator,
      `${header}.${payload}.${Buffer.alloc(64, i & 255)
        .fill(i >> 8, 1, 9)
        .toString('base64url')}`,
    ),
  );
  const reasons = await Promise.all(forged.map(reasonOf));
  assert.equal(reasons.filter((reason) => reason === 'signature').length, 1024);
  assert.equal(reasons.filter((reason) => reason === 'busy').length, 3000 - 1024);
  assert.equal(failures.busy.problem, 'unavailable');
  assert.equal(await reasonOf(bearer(authenticator, token)), 'session');
});

test('other keys or rules: nothing verified before is trusted any more', async () => {
  const authenticator = authenticatorOf();
  const value = Buffer.from(`Bearer ${sign(HS256, { exp: seconds + 60 })}`);
  assert.equal(await reasonOf(authenticator.authenticate(value, 0, value.length, NOW)), 'session');
  authenticator.update(specOf());
  assert.notEqual(
    authenticator.lookup(value, 0, value.length, NOW),
    null,
    'the same spec again changes nothing',
  );
  authenticator.update(specOf({ audience: 'shop' }));
  assert.equal(authenticator.lookup(value, 0, value.length, NOW), null);
  assert.equal(await reasonOf(authenticator.authenticate(value, 0, value.length, NOW)), 'audience');
  authenticator.update(specOf({ secret: Buffer.from('rotated') }));
  assert.equal(await reasonOf(authenticator.authenticate(value, 0, value.length, NOW)), 'signature');
  authenticator.update(null);
  assert.equal(await reasonOf(authenticator.authenticate(value, 0, value.length, NOW)), 'algorithm');
});

test('a key that is withdrawn while a token is being verified does not let it in', async () => {
  const { privateKey, jwk } = await keyPair('ES256', 'k1');
  const other = await keyPair('ES256', 'k2');
  const authenticator = authenticatorOf({ secret: null, jwks: jwksOf(jwk) });
  const value = Buffer.from(`Bearer ${await signWith(privateKey, 'ES256', 'k1')}`);
  const verdict = authenticator.authenticate(value, 0, value.length, NOW);
  authenticator.update(specOf({ secret: null, jwks: jwksOf(other.jwk) }));
  assert.equal(await reasonOf(verdict), 'unknown-key');
  assert.equal(authenticator.lookup(value, 0, value.length, NOW), null);
});

test('challenges follow RFC 6750 and carry nothing of the request', () => {
  for (const failure of Object.values(failures)) {
    if (failure.problem === 'unavailable') assert.equal(failure.challenge, null);
    else {
      assert.match(
        failure.challenge as string,
        /^Bearer realm="mayfly"(, error="invalid_token", error_description="[\x20-\x21\x23-\x5b\x5d-\x7e]+")?$/,
      );
    }
  }
  assert.doesNotMatch(failures.missing.challenge as string, /error/);
});

const claim = fc.oneof(
  fc.integer({ min: seconds - 100, max: seconds + 100 }),
  fc.constantFrom(
    undefined,
    null,
    'text',
    [],
    {},
    true,
    0,
    -1,
    1e300,
    `${seconds}`,
    seconds,
    seconds + 1,
    seconds - 1,
  ),
);
const anyClaims = fc.record(
  {
    exp: claim,
    nbf: claim,
    iat: claim,
    iss: fc.constantFrom('me', 'you', 1, ['me']),
    aud: fc.constantFrom('shop', ['shop'], ['a', 'shop'], [], 'other', 7, ['other']),
    sub: fc.constantFrom('u1', '', 7, null),
  },
  { requiredKeys: [] },
);

test('the HS256 path agrees with jose on every claim, and is stricter only where it says so', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyClaims,
      fc.constantFrom<Partial<AuthSpec>>(
        {},
        { issuer: 'me' },
        { audience: 'shop' },
        { maxTokenAgeMs: 50_000 },
        { clockToleranceMs: 20_000 },
        { maxTokenAgeMs: 20_000, clockToleranceMs: 10_000, issuer: 'me', audience: 'shop' },
      ),
      fc.constantFrom(SECRET, Buffer.from('wrong')),
      async (claims, overrides, secret) => {
        const spec = specOf(overrides);
        const token = sign(HS256, claims, secret);
        const jose = await jwtVerify(token, SECRET, {
          algorithms: ['HS256'],
          requiredClaims: ['exp'],
          currentDate: new Date(NOW),
          clockTolerance: spec.clockToleranceMs / 1000,
          ...(spec.issuer === null ? {} : { issuer: spec.issuer }),
          ...(spec.audience === null ? {} : { audience: spec.audience }),
          ...(spec.maxTokenAgeMs === null ? {} : { maxTokenAge: spec.maxTokenAgeMs / 1000 }),
        }).then(
          () => true,
          () => false,
        );
        const ours = (await reasonOf(bearer(authenticatorOf(overrides), token))) === 'session';
        // jose looks at the type of `sub` only when told to compare it, and at `iat` only when told an age or when it is there.
        const stricter = 'sub' in claims && typeof claims.sub !== 'string';
        assert.equal(ours, jose && !stricter, JSON.stringify(claims));
      },
    ),
    { numRuns: 3000 },
  );
});

test('no bytes whatsoever make it throw, and none are let in that jose does not let in', async () => {
  const token = sign(HS256, { sub: 'u1', exp: seconds + 60 });
  const value = Buffer.from(`Bearer ${token}`);
  const mutation = fc.array(
    fc.record({ at: fc.nat(value.length), remove: fc.nat(4), insert: fc.uint8Array({ maxLength: 4 }) }),
    { minLength: 1, maxLength: 4 },
  );
  const authenticator = authenticatorOf();
  const check = async (bytes: Buffer): Promise<void> => {
    if ((await reasonOf(authenticator.authenticate(bytes, 0, bytes.length, NOW))) !== 'session') return;
    const text = bytes.toString('latin1').replace(/^bearer +/i, '');
    await jwtVerify(text, SECRET, { algorithms: ['HS256'], currentDate: new Date(NOW) });
  };
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), (bytes) => check(Buffer.from(bytes))),
    { numRuns: 2000 },
  );
  await fc.assert(
    fc.asyncProperty(mutation, (changes) => {
      let bytes = value;
      for (const { at, remove, insert } of changes) {
        bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
      }
      return check(bytes);
    }),
    { numRuns: 5000 },
  );
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.json(), (header, payload) =>
      check(Buffer.from(`Bearer ${sign(header, payload)}`)),
    ),
    { numRuns: 1000 },
  );
  await fc.assert(
    fc.asyncProperty(fc.json(), fc.json(), (header, payload) =>
      check(Buffer.from(`Bearer ${sign(header, payload)}`)),
    ),
    { numRuns: 1000 },
  );
});
