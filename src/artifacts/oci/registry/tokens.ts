/** Access tokens of a registry (https://distribution.github.io/distribution/spec/auth/token/), kept while they are valid. */
import { z } from 'zod';
import { MayflyError } from '../../../model/errors.ts';
import type { Challenge } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import type { Answer, Ask } from './http.ts';

export interface TokenSource {
  /** The `Authorization` header for this scope; null when there is nothing to show. */
  header(scope: string): Promise<string | null>;
  /** What the registry gave was refused: expired, or of too little scope. Next time a new one is fetched. */
  forget(scope: string): void;
}

export interface TokenOptions {
  readonly challenge: Challenge | null;
  readonly registry: string;
  /** Plain HTTP is allowed to this registry, so to its token server too. */
  readonly plainHttp: boolean;
  readonly credentials: () => Promise<Credentials | null>;
  readonly send: (ask: Ask) => Promise<Answer>;
  readonly now: () => number;
}

const answer = z.looseObject({
  token: z.string().min(1).optional(),
  access_token: z.string().min(1).optional(),
  expires_in: z.number().min(0).max(1e9).optional(),
});

/** The specification's default, for servers that do not say. */
const DEFAULT_SECONDS = 60;
/** A token is renewed this long before its end. */
const MARGIN_MS = 5000;
const LONGEST_ANSWER = 1024 * 1024;

export function createTokenSource(options: TokenOptions): TokenSource {
  const { challenge, registry } = options;
  const kept = new Map<string, { header: string; until: number }>();
  if (challenge?.scheme !== 'bearer') {
    return {
      async header() {
        if (challenge?.scheme !== 'basic') return null;
        const found = await options.credentials();
        if (found === null) return null;
        return found.type === 'basic' ? basic(found.username, found.password) : `Bearer ${found.token}`;
      },
      forget() {},
    };
  }
  return {
    async header(scope) {
      const known = kept.get(scope);
      if (known !== undefined && known.until > options.now()) return known.header;
      const credentials = await options.credentials();
      if (credentials?.type === 'bearer') return `Bearer ${credentials.token}`;
      const reply = await options.send(tokenRequest(options, challenge, scope, credentials));
      const { token, seconds } = readToken(reply, registry, credentials !== null);
      const header = `Bearer ${token}`;
      kept.set(scope, { header, until: options.now() + seconds * 1000 - MARGIN_MS });
      return header;
    },
    forget: (scope) => void kept.delete(scope),
  };
}

/** Pure. Throws MayflyError for a token server that must not be given a password. */
export function tokenRequest(
  { registry, plainHttp }: Pick<TokenOptions, 'registry' | 'plainHttp'>,
  challenge: Challenge,
  scope: string,
  credentials: Credentials | null,
): Ask {
  const realm = challenge.params.get('realm') ?? '';
  const service = challenge.params.get('service');
  const url = URL.canParse(realm) ? new URL(realm) : null;
  const safe = url?.protocol === 'https:' || (url?.protocol === 'http:' && plainHttp);
  if (url === null || !safe || url.username !== '' || url.password !== '') {
    throw new MayflyError('Cannot sign in: the registry names a token server that is not safe', {
      where: `${registry}, realm ${JSON.stringify(realm.slice(0, 100))}`,
      code: 'registry-unauthorized',
    });
  }
  if (credentials?.type === 'identity') {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: credentials.token,
      scope,
    });
    form.set('client_id', 'mayfly');
    if (service !== undefined) form.set('service', service);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { method: 'POST', url, headers, body: form.toString(), most: LONGEST_ANSWER };
  }
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', scope);
  const headers: Record<string, string> =
    credentials?.type === 'basic' ? { authorization: basic(credentials.username, credentials.password) } : {};
  return { method: 'GET', url, headers, most: LONGEST_ANSWER };
}

function readToken(reply: Answer, registry: string, signedIn: boolean): { token: string; seconds: number } {
  if (reply.status === 401 || reply.status === 403) {
    throw new MayflyError(
      signedIn
        ? 'Cannot sign in: the registry refuses the user name or the password'
        : 'Cannot sign in: the registry wants to know who asks',
      { where: registry, fix: `Sign in with \`docker login ${registry}\`.`, code: 'registry-unauthorized' },
    );
  }
  const parsed = answer.safeParse(parseJson(reply.body));
  const token = parsed.data?.token ?? parsed.data?.access_token;
  if (reply.status !== 200 || token === undefined || !/^[\x21-\x7e]+$/.test(token)) {
    throw new MayflyError(`Cannot sign in: the token server answers ${reply.status} without a token`, {
      where: registry,
      code: 'registry-failed',
    });
  }
  return { token, seconds: parsed.data?.expires_in ?? DEFAULT_SECONDS };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return null;
  }
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
