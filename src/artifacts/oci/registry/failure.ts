/** What a registry did, as a sentence. */
import { z } from 'zod';
import { MayflyError } from '../../../model/errors.ts';
import type { Answer, ConnectionLost } from './http.ts';

const schema = z.looseObject({
  errors: z.array(z.looseObject({ code: z.string().optional(), message: z.string().optional() })).min(1),
});

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'its name could not be looked up',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  UND_ERR_SOCKET: 'it closed the connection',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the host',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  UND_ERR_HEADERS_TIMEOUT: 'it does not answer',
  UND_ERR_BODY_TIMEOUT: 'it stopped in the middle of an answer',
};

/** Codes of OpenSSL and Node for a certificate that does not convince. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME|ISSUER/;

export function isCertificateProblem(lost: ConnectionLost): boolean {
  return CERTIFICATE.test(lost.reason);
}

export function unreachable(lost: ConnectionLost, registry: string): MayflyError {
  if (isCertificateProblem(lost)) {
    return new MayflyError('Cannot reach the registry: its certificate is not trusted', {
      where: `${registry}, ${lost.reason}`,
      fix: 'Give the certificate of its authority with --ca-file.',
      code: 'registry-tls',
      cause: lost,
    });
  }
  const isTls = /SSL|EPROTO/.test(lost.reason);
  const reason = isTls ? 'it does not speak TLS' : (reasons[lost.reason] ?? lost.message);
  return new MayflyError(`Cannot reach the registry: ${reason}`, {
    where: registry,
    fix: isTls ? 'Use --plain-http if it is meant to be so.' : 'Check its name and the network.',
    code: 'registry-unreachable',
    cause: lost,
  });
}

/** `doing` completes "Cannot …". */
export function failed(answer: Answer, doing: string, where: string): MayflyError {
  const { status } = answer;
  const said = messageOf(answer.body);
  const registry = where.split('/')[0];
  if (status === 401) {
    return new MayflyError(`Cannot ${doing}: the registry wants to know who asks${said}`, {
      where,
      fix: `Sign in with \`docker login ${registry}\`; a token may have expired.`,
      code: 'registry-unauthorized',
    });
  }
  if (status === 403) {
    return new MayflyError(`Cannot ${doing}: the registry forbids it${said}`, {
      where,
      code: 'registry-denied',
    });
  }
  if (status === 429) {
    return new MayflyError(`Cannot ${doing}: the registry says there were too many requests${said}`, {
      where,
      fix: 'Try again later, or sign in for a higher limit.',
      code: 'registry-busy',
    });
  }
  return new MayflyError(`Cannot ${doing}: the registry answers ${status}${said}`, {
    where,
    code: 'registry-failed',
  });
}

/** The registry's own words, shortened; empty when it has none. */
function messageOf(body: Uint8Array): string {
  let value: unknown = null;
  try {
    value = JSON.parse(Buffer.from(body.subarray(0, 64 * 1024)).toString('utf8'));
  } catch {
    // An error page of something in between: its text helps nobody.
  }
  const parsed = schema.safeParse(value);
  const first = parsed.data?.errors[0];
  const text = first?.message ?? first?.code ?? '';
  return text === '' ? '' : ` (${text.slice(0, 200)})`;
}
