/** Any module with the handler contract is a function: here one in C and one in Rust, with an `_initialize` that calls the host. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FREE_PORTS, startTestPlatform } from '../support/platform.ts';

const HANDLER = new URL('../fixtures/handler-c/handler.wasm', import.meta.url);
const RUST = new URL('../fixtures/handler-rust/handler.wasm', import.meta.url);

test('a handler in C reads the frame, the configuration and the body, afresh each time', async () => {
  await using server = await startTestPlatform(
    `${FREE_PORTS}
functions:
  greeter: { source: handler.wasm, env: { GREETING: 'hi ' }, routes: [{ path: /* }] }
`,
    { 'handler.wasm': readFileSync(HANDLER) },
  );
  for (let i = 0; i < 3; i++) {
    const body = 'b'.repeat(200_000);
    const response = await fetch(`${server.url}/a/b?c=d`, {
      method: 'POST',
      headers: { 'X-Tag': ' tag ' },
      body,
    });
    assert.equal(await response.text(), `hi 2/a/btag${body}1`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/plain');
  }
});

test('a handler in Rust with its standard library: sums, and a panic that is one request only', async () => {
  await using server = await startTestPlatform(
    `${FREE_PORTS}
functions:
  ledger: { source: handler.wasm, routes: [{ path: /* }] }
`,
    { 'handler.wasm': readFileSync(RUST) },
  );
  const ask = (path: string, body: string) => fetch(`${server.url}${path}`, { method: 'POST', body });
  for (let i = 0; i < 2; i++) {
    const sums = await ask('/sums', 'tea 3\nmilk 1\ntea -5\n');
    assert.equal(await sums.text(), 'milk 1\ntea -2\n');
    assert.equal((await ask('/sums', 'tea three')).status, 500);
    assert.equal(await (await ask('/mean', '0.1 0.2')).text(), `${(0.1 + 0.2) / 2}\n`);
    assert.equal((await ask('/depth', '1000000')).status, 500);
    assert.equal(await (await ask('/depth', '100')).text(), '100\n');
  }
});
