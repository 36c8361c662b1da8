/** The examples do what their READMEs say: function and mayfly.yaml as they are, called through the guest ABI. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { buildFunction } from '../../src/build/build.ts';
import { Compiler } from '../../src/build/compiler.ts';
import { TestGuest } from '../support/guest.ts';

const examples = join(import.meta.dirname, '../../examples');
const scratch = mkdtempSync(join(tmpdir(), 'mayfly-examples-'));
let hello: Uint8Array;
let flashSale: Uint8Array;
let shop: TestGuest;
before(async () => {
  await using compiler = new Compiler();
  const built = async (name: string) => {
    const { wasm, warnings } = await buildFunction(
      { source: join(examples, name), cache: scratch },
      compiler,
    );
    assert.deepEqual(warnings, [], name);
    return wasm;
  };
  hello = await built('hello');
  flashSale = await built('flash-sale');
  shop = new TestGuest(flashSale);
});
after(() => rmSync(scratch, { recursive: true }));

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

function order(body: unknown): Answer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = shop.call({ method: 'POST', target: '/api/function', body: text });
  return { status: response.status, body: JSON.parse(response.body.toString()) as Record<string, unknown> };
}

test('The modules are small and import nothing but the log', () => {
  assert.ok(hello.length <= 3 * 1024, `hello has ${hello.length} bytes`);
  assert.ok(flashSale.length <= 20 * 1024, `flash-sale has ${flashSale.length} bytes`);
  assert.deepEqual(new TestGuest(hello).imports, ['mayfly.log']);
  assert.deepEqual(shop.imports, ['mayfly.log']);
});

test('hello says hello', () => {
  const response = new TestGuest(hello).call({});
  assert.equal(response.status, 200);
  assert.equal(response.body.toString(), 'Hello from Mayfly\n');
});

test('An order is priced: quantity discount first, then the coupon', () => {
  assert.deepEqual(order({ sku: 'mug-7', quantity: 12, coupon: 'FLASH10' }), {
    status: 200,
    body: {
      status: 'accepted',
      currency: 'EUR',
      lines: [{ sku: 'mug-7', name: 'Mug', quantity: 12, unitPrice: 895, amount: 10740 }],
      discounts: [
        { reason: 'quantity', amount: 1289 },
        { reason: 'coupon', amount: 945 },
      ],
      discount: 2234,
      total: 8506,
    },
  });
});

test('One piece without a coupon costs its price', () => {
  const { status, body } = order({ sku: 'lamp-1', quantity: 1, note: 'ring twice' });
  assert.deepEqual([status, body['discounts'], body['discount'], body['total']], [200, [], 0, 3990]);
});

/** Percent of an amount in whole cents, half a cent rounded up. */
function share(amount: number, percent: number): number {
  return Math.floor((amount * percent + 50) / 100);
}

test('Prices add up for every article, quantity and coupon', () => {
  const articles = [
    ['lamp-1', 3990, 10],
    ['mug-7', 895, 50],
    ['phone-x', 69900, 2],
    ['buds-2', 12900, 5],
    ['tee-m', 1990, 20],
  ] as const;
  fc.assert(
    fc.property(
      fc.constantFrom(...articles),
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom(null, 'FLASH10', 'BIG20'),
      ([sku, price, limit], quantity, coupon) => {
        const { status, body } = order({ sku, quantity, coupon });
        const gross = price * quantity;
        const reduced = gross - share(gross, quantity >= 10 ? 12 : quantity >= 3 ? 5 : 0);
        if (quantity > limit || (coupon === 'BIG20' && reduced < 50_000)) return assert.equal(status, 422);
        const total = reduced - (coupon === null ? 0 : share(reduced, coupon === 'BIG20' ? 20 : 10));
        assert.deepEqual([status, body['total'], body['discount']], [200, total, gross - total]);
      },
    ),
    { numRuns: 500 },
  );
});

const refused: readonly (readonly [string, unknown, number, RegExp])[] = [
  ['no JSON', '{"sku":', 400, /Unexpected end of JSON at byte 7/],
  ['nothing', '', 400, /Unexpected end of JSON/],
  ['an array', '[]', 422, /must be a JSON object/],
  ['no sku', { quantity: 1 }, 422, /sku must be a string/],
  ['a number as sku', { sku: 7, quantity: 1 }, 422, /sku must be a string/],
  ['an unknown sku', { sku: 'r\u00f6ck"', quantity: 1 }, 422, /No article has the sku r\u00f6ck"/],
  ['no quantity', { sku: 'mug-7' }, 422, /quantity/],
  ['quantity 0', { sku: 'mug-7', quantity: 0 }, 422, /quantity/],
  ['a negative quantity', { sku: 'mug-7', quantity: -1 }, 422, /quantity/],
  ['half a piece', { sku: 'mug-7', quantity: 0.5 }, 422, /quantity/],
  ['a quantity as text', { sku: 'mug-7', quantity: '1' }, 422, /quantity/],
  ['a quantity beyond 64 bits', '{"sku":"mug-7","quantity":18446744073709551617}', 422, /quantity/],
  ['a quantity that wraps to 1 in 32 bits', { sku: 'mug-7', quantity: 4294967297 }, 422, /quantity/],
  ['more than the article allows', { sku: 'phone-x', quantity: 3 }, 422, /At most 2 pieces/],
  ['an unknown coupon', { sku: 'mug-7', quantity: 1, coupon: 'X' }, 422, /coupon/],
  ['a coupon that the order is too small for', { sku: 'mug-7', quantity: 1, coupon: 'BIG20' }, 422, /coupon/],
  ['a coupon that is no text', { sku: 'mug-7', quantity: 1, coupon: true }, 422, /coupon must be a string/],
];
for (const [what, body, status, detail] of refused) {
  test(`Refused as a problem document: ${what}`, () => {
    const answer = order(body);
    assert.equal(answer.status, status);
    assert.equal(answer.body['status'], status);
    assert.match(answer.body['detail'] as string, detail);
  });
}

test('Status and catalogue answer', () => {
  const get = (target: string): unknown => JSON.parse(shop.call({ target }).body.toString());
  assert.deepEqual(get('/api/status'), { service: 'flash-sale', status: 'ok', articles: 5 });
  const all = get('/api/all') as { articles: { sku: string }[] };
  assert.deepEqual(
    all.articles.map(({ sku }) => sku),
    ['lamp-1', 'mug-7', 'phone-x', 'buds-2', 'tee-m'],
  );
  assert.equal(shop.call({ method: 'POST', target: '/api/status' }).status, 404);
});

test('The function of the guide does what the guide says', async () => {
  const guide = readFileSync(join(examples, '../docs/guides/first-function.md'), 'utf8');
  const [, source] = /```ts\n([^`]+)```/.exec(guide) as RegExpExecArray;
  const folder = join(scratch, 'greeter');
  mkdirSync(folder);
  writeFileSync(join(folder, 'function.ts'), source as string);
  const greeter = new TestGuest((await buildFunction({ source: folder })).wasm);
  assert.equal(greeter.call({ target: '/?name=Ada' }).body.toString(), '{"hello":"Ada"}');
  assert.deepEqual(greeter.logs, ['info greeting Ada']);
  assert.equal(greeter.call({ target: '/' }).status, 400);
});
