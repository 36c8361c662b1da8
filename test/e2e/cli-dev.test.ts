/** `mayfly dev`: builds on change, shows requests, keeps the old revision when a source is wrong. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { serving, startProcess } from '../support/cli.ts';
import { makeTestFolder } from '../support/folder.ts';
import { FREE_PORTS } from '../support/platform.ts';

const source = (expression: string) => `import { Request, Response } from "mayfly";
export function handle(request: Request): Response {
  return new Response(${expression});
}
`;

test('dev: a mistake at start waits, a change is served, a mistake later changes nothing', async () => {
  using folder = makeTestFolder({
    'mayfly.yaml': `${FREE_PORTS}functions: { hello: { source: function.ts, routes: [{ path: / }] } }\n`,
    'function.ts': source('none'),
  });
  const env = { XDG_STATE_HOME: join(folder.path, 'user-state') };
  await using running = startProcess(['dev', folder.path, '--json'], { env });
  await running.says('Waiting for a change.');
  folder.write('function.ts', source('"one"'));
  const server = await serving(running);
  const { gateway } = server.overview.addresses;
  assert.equal(await (await fetch(gateway)).text(), 'one');

  folder.write('function.ts', source('"two"'));
  await server.says('"deployed":["hello"]');
  assert.equal(await (await fetch(gateway)).text(), 'two');

  folder.write('function.ts', source('nothing'));
  await server.says('The old revision keeps running.');
  assert.match(server.output(), /function\.ts:3:\d+/);
  assert.equal(await (await fetch(gateway)).text(), 'two');

  await server.says('"stages":');
  const line = server
    .output()
    .split('\n')
    .find((text) => text.includes('"stages":')) as string;
  const { method, path, status, function: name } = JSON.parse(line) as Record<string, unknown>;
  assert.deepEqual([method, path, status, name], ['GET', '/', 200, 'hello']);
  server.signal('SIGINT');
  assert.equal(await server.ended, 0);
});
