/** A wagi through the front door: what CGI promises, and its limits attacked. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FREE_PORTS, startTestPlatform, type TestPlatform } from '../support/platform.ts';
import { script, type Step, WAGI_SCRIPT } from '../support/wagi-script.ts';
import { assemble } from '../support/wat.ts';

const SHIPPING = new URL('../../examples/wagi/shipping.wasm', import.meta.url);

let server: TestPlatform;

before(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-wagi-'));
  await assemble(WAGI_SCRIPT, join(folder, 'script.wasm'));
  const files = {
    'script.wasm': readFileSync(join(folder, 'script.wasm')),
    'shipping.wasm': readFileSync(SHIPPING),
  };
  rmSync(folder, { recursive: true });
  server = await startTestPlatform(
    `${FREE_PORTS}
security: { rate_limit_enabled: false }
functions:
  script:
    source: script.wasm
    memory_limit: 1Mi
    cpu_budget: 100ms
    max_request_body: 1000
    max_response_body: 5000
    routes: [{ path: /script }]
  shipping:
    source: shipping.wasm
    env: { CURRENCY: EUR }
    memory_limit: 1Mi
    routes: [{ path: /shipping, methods: [GET, POST] }]
`,
    files,
  );
});
after(async () => {
  await server[Symbol.asyncDispose]();
});

async function run(...steps: Step[]): Promise<[number, string]> {
  const response = await fetch(`${server.url}/script`, {
    method: 'POST',
    body: new Uint8Array(script(...steps)),
  });
  const text = await response.text();
  const problem = response.headers.get('content-type') === 'application/problem+json';
  return [
    response.status,
    problem ? ((JSON.parse(text) as { type: string }).type.split(':').at(-1) as string) : text,
  ];
}

const START = 'what was here at the start';
const show: Step = ['stdout', 1000, START.length];

async function assertFresh(): Promise<void> {
  for (let i = 0; i < 4; i++) assert.deepEqual(await run(['head'], show), [203, START]);
}

test('the status and the body are what the program wrote; memory is as new on every request', async () => {
  await assertFresh();
  assert.deepEqual(await run(['head'], ['store', 1000, 0x41414141], show), [203, `AAAA${START.slice(4)}`]);
  await assertFresh();
  assert.deepEqual(await run(['head'], ['grow', 1], ['fill', 200_000, 40_000], show), [203, START]);
  await assertFresh();
});

test('an exit ends the program, with any code, and what it wrote is the answer', async () => {
  assert.deepEqual(await run(['head'], show, ['exit', 3], show), [203, START]);
});

test('no output, no header, half an answer before a trap: 500, and nothing of it is sent', async () => {
  for (const steps of [
    [],
    [show],
    [['exit', 0]],
    [['head'], show, ['trap']],
    [['head'], ['overflow']],
  ] as Step[][])
    assert.deepEqual(await run(...steps), [500, 'function-failed'], JSON.stringify(steps));
  await assertFresh();
});

test('pointers outside the memory are refused by the call, the program goes on', async () => {
  const hostile: Step[] = [
    ['stdout', 0xffff_ffff, 10],
    ['stdout', 0, 0xffff_ffff],
    ['random', 0xffff_fff0, 0x20],
    ['environ', 0xffff_fffc, 0],
    ['write', 0xffff_fff0, 1000],
    ['write', 0, 0xffff_ffff],
    ['read', 0xffff_fff0, 3],
    ['fdstat', 0xffff_fff0, 1],
    ['poll', 0xffff_fff0, 0xffff_fff0],
  ];
  assert.deepEqual(await run(['head'], ...hostile, show), [203, START]);
  await assertFresh();
});

test('an endless loop is 504, too much output 502, too large a request 413', async () => {
  assert.deepEqual(await run(['loop']), [504, 'function-timeout']);
  assert.deepEqual(await run(['head'], ['stdout', 0, 5001]), [502, 'response-too-large']);
  assert.deepEqual(
    await run(['head'], ...Array.from({ length: 30 }, (): Step => ['stdout', 0, 60_000]), ['loop']),
    [502, 'response-too-large'],
  );
  assert.deepEqual(await run(...Array.from({ length: 112 }, () => show)), [413, 'content-too-large']);
  await assertFresh();
});

const quote = async (query: string, init: RequestInit = {}) => {
  const response = await fetch(`${server.url}/shipping${query}`, init);
  return [response.status, await response.json()] as const;
};
const standard = (days: string, price: number) => ({ service: 'standard', days, price });
const express = (days: string, price: number) => ({ service: 'express', days, price });

test('the example quotes from a query, a form and JSON, and says what is wrong', async () => {
  assert.deepEqual(await quote('?country=DE&grams=1200&goods=4999'), [
    200,
    { currency: 'EUR', options: [standard('1-2', 450), express('1', 1050)] },
  ]);
  assert.deepEqual(
    await quote('', {
      method: 'POST',
      body: new URLSearchParams({ country: 'FR', grams: '1', goods: '10000' }),
    }),
    [200, { currency: 'EUR', options: [standard('2-4', 0), express('1-2', 1790)] }],
  );
  const json = (body: string) =>
    quote('', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  assert.deepEqual(await json('{ "country": "ch", "grams": 2500, "note": "\\"a\\n" }'), [
    200,
    { currency: 'EUR', options: [standard('4-8', 2070)] },
  ]);
  for (const body of [
    '',
    '{',
    '[]',
    '{"country":"CH","grams":[1]}',
    '{"country":"CH",}',
    '{"a":"\\u0041"}',
    '{} x',
  ])
    assert.equal((await json(body))[0], 400, body);
  for (const query of [
    '',
    '?country=US&grams=1',
    '?country=DE',
    '?country=DE&grams=0',
    '?country=DE&grams=30001',
    '?country=DE&grams=-1',
  ])
    assert.equal((await quote(query))[0], 422, query);
  assert.equal((await quote('?country=%zz'))[0], 400);
});
