/** The second listener: TLS with HTTP/1.1 and HTTP/2, through the same stages. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { issueToken } from '../../src/tokens/issue.ts';
import { startTestPlatform } from '../support/platform.ts';

const SECRET = 'a-secret-of-at-least-thirty-two-bytes';
const read = (name: string) => readFileSync(join(import.meta.dirname, '../fixtures/tls', name));

test('HTTP/1.1 and HTTP/2 over TLS go through authentication, limits and the function', async () => {
  await using server = await startTestPlatform(
    `
server: { port: 0, host: 127.0.0.1, threads: 2, tls: { certificate: certificate.pem, key: key.pem, port: 0 } }
monitoring: { enabled: false }
admin: { port: 0 }
security: { jwt_secret: ${SECRET} }
functions:
  app: { source: hostile.wasm, routes: [{ path: /* }] }
`,
    { 'certificate.pem': read('certificate.pem'), 'key.pem': read('key.pem') },
  );
  const url = new URL(server.platform.addresses.tls ?? '');
  assert.equal(url.protocol, 'https:');
  assert.equal((await fetch(`${server.url}/health`)).status, 200, 'plain HTTP stays on its own port');
  const authorization = `Bearer ${await issueToken(Buffer.from(SECRET), { sub: 'u1' }, 60)}`;

  const overHttp1 = (path: string, headers: Record<string, string>) =>
    new Promise<[number, string]>((resolve, reject) => {
      const sent = request(
        {
          host: url.hostname,
          port: url.port,
          path,
          headers,
          ca: read('certificate.pem'),
          servername: 'localhost',
        },
        (response) => {
          let body = '';
          response.on('data', (chunk: Buffer) => (body += chunk.toString()));
          response.on('end', () => resolve([response.statusCode ?? 0, body]));
        },
      );
      sent.on('error', reject);
      sent.end();
    });
  assert.deepEqual(await overHttp1('/c', { authorization }), [200, '0002']);
  assert.equal((await overHttp1('/c', {}))[0], 401);

  const session = connectHttp2(url, { ca: read('certificate.pem'), servername: 'localhost' });
  const overHttp2 = async (path: string, headers: Record<string, string>): Promise<[number, string]> => {
    const stream = session.request({ ':path': path, ...headers });
    let status = 0;
    let body = '';
    stream.on('response', (answer) => (status = Number(answer[':status'])));
    stream.on('data', (chunk: Buffer) => (body += chunk.toString()));
    await once(stream, 'end');
    return [status, body];
  };
  const answers = await Promise.all(Array.from({ length: 20 }, () => overHttp2('/c', { authorization })));
  for (const answer of answers) assert.deepEqual(answer, [200, '0002']);
  assert.equal((await overHttp2('/c', {}))[0], 401);
  assert.equal((await overHttp2('/t', { authorization }))[0], 500);
  session.close();
});
