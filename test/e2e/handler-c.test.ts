/** Any module with the handler contract is a function: here one in C, with an `_initialize` that calls the host. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FREE_PORTS, startTestPlatform } from '../support/platform.ts';

const HANDLER = new URL('../fixtures/handler-c/handler.wasm', import.meta.url);

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
