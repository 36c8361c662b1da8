/** Who may talk to the admin API. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { AdminProblem } from './problem.ts';

/** Compares digests, in a time that depends on neither the content nor the length of what was sent. */
export function createTokenCheck(token: string): (authorization: string | undefined) => void {
  const expected = sha256(token);
  return (authorization) => {
    const sent = /^Bearer +([!-~]+)$/i.exec(authorization ?? '')?.[1];
    if (sent !== undefined && timingSafeEqual(sha256(sent), expected)) return;
    throw new AdminProblem(
      401,
      'unauthenticated',
      'Authentication required',
      'Send Authorization: Bearer <token>; the token is in the file `admin.token_file`, by default .mayfly/admin-token.',
      { 'www-authenticate': 'Bearer realm="mayfly-admin"' },
    );
  };
}

/**
 * Refuses a Host header that does not name this API. A web page whose name was made to point at this machine (DNS rebinding)
 * sends its own name.
 */
export function checkHost(host: string | undefined, names: ReadonlySet<string>): void {
  if (host !== undefined && names.has(host.toLowerCase().replace(/:\d{1,5}$/, ''))) return;
  throw new AdminProblem(
    403,
    'wrong-host',
    'Wrong host',
    `The Host header must be one of ${[...names].join(', ')}.`,
  );
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
