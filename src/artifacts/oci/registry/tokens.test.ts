import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenges } from './challenge.ts';
import type { Answer, Ask } from './http.ts';
import { askedPause, pauseBefore } from './retry.ts';
import { createTokenSource, tokenRequest, type TokenOptions } from './tokens.ts';

const [challenge = null] = parseChallenges(
  'Bearer realm="https://auth.example.com/token?a=b",service="r.example.com"',
);
const scope = 'repository:shop/orders:pull,push';

function answering(body: object, status = 200): Answer {
  const bytes = Buffer.from(JSON.stringify(body));
  return { status, body: bytes, url: new URL('https://auth.example.com'), header: () => undefined };
}

/** A token source with a clock of its own; `asked` is what it sent. */
function source(more: Partial<TokenOptions>, reply: () => Answer) {
  const asked: Ask[] = [];
  const clock = { now: 0 };
  const tokens = createTokenSource({
    challenge,
    registry: 'r.example.com',
    plainHttp: false,
    credentials: async () => null,
    send: async (ask) => {
      asked.push(ask);
      return reply();
    },
    now: () => clock.now,
    ...more,
  });
  return { tokens, asked, clock };
}

test('a user name is sent as Basic, a refresh token as a form, nobody as nothing', () => {
  assert.ok(challenge !== null);
  const where = { registry: 'r.example.com', plainHttp: false };
  const basic = tokenRequest(where, challenge, scope, { type: 'basic', username: 'me', password: 'p:w' });
  assert.equal(basic.method, 'GET');
  assert.equal(basic.headers['authorization'], `Basic ${Buffer.from('me:p:w').toString('base64')}`);
  assert.deepEqual(Object.fromEntries(basic.url.searchParams), { a: 'b', service: 'r.example.com', scope });
  const identity = tokenRequest(where, challenge, scope, { type: 'identity', token: 'refresh' });
  assert.equal(identity.method, 'POST');
  const form = Object.fromEntries(new URLSearchParams(String(identity.body)));
  assert.deepEqual(form, {
    grant_type: 'refresh_token',
    refresh_token: 'refresh',
    scope,
    client_id: 'mayfly',
    service: 'r.example.com',
  });
  assert.equal(identity.headers['authorization'], undefined);
  assert.equal(tokenRequest(where, challenge, scope, null).headers['authorization'], undefined);
});

test('a token is kept for its scope, until shortly before its end', async () => {
  let count = 0;
  const { tokens, asked, clock } = source({}, () =>
    answering({ access_token: `t${++count}`, expires_in: 60 }),
  );
  assert.equal(await tokens.header('a'), 'Bearer t1');
  assert.equal(await tokens.header('a'), 'Bearer t1');
  assert.equal(await tokens.header('b'), 'Bearer t2');
  clock.now = 54_000;
  assert.equal(await tokens.header('a'), 'Bearer t1');
  clock.now = 56_000;
  assert.equal(await tokens.header('a'), 'Bearer t3');
  tokens.forget('a');
  assert.equal(await tokens.header('a'), 'Bearer t4');
  assert.equal(asked.length, 4);
});

test('an access token from the file is shown as it is; without a challenge nothing is', async () => {
  const never = () => assert.fail('nobody is asked');
  const own = { credentials: async () => ({ type: 'bearer', token: 'mine' }) as const };
  assert.equal(await source(own, never).tokens.header(scope), 'Bearer mine');
  assert.equal(await source({ ...own, challenge: null }, never).tokens.header(scope), null);
});

test('answers that hold no token, or one that would break the header', async () => {
  const answers = [
    answering({}),
    answering({ token: 'a\r\nx: y' }),
    answering({ token: '' }),
    answering({ token: 'x' }, 500),
    answering([]),
  ];
  for (const reply of answers) {
    await assert.rejects(source({}, () => reply).tokens.header(scope), /without a token/);
  }
});

test('pauses double, spread, and end; Retry-After is seconds or a date', () => {
  assert.deepEqual(
    [1, 2, 3, 20].map((attempt) => pauseBefore(attempt, 1)),
    [200, 400, 800, 10_000],
  );
  assert.equal(pauseBefore(1, 0), 100);
  const asked = (value: string | undefined) =>
    askedPause({ header: () => value }, Date.parse('2026-11-23T00:00:00Z'));
  assert.equal(asked('3'), 3000);
  assert.equal(asked('Mon, 23 Nov 2026 00:00:05 GMT'), 5000);
  assert.equal(asked('999999'), 60_000);
  for (const nonsense of [undefined, '', '-1', 'soon', 'Sun, 22 Nov 2026 00:00:00 GMT'])
    assert.equal(asked(nonsense), null);
});
