import { type ReferenceRequest, trimmed } from './http-reference.ts';
import { limits } from './http-subject.ts';

/**
 * The list of what Mayfly refuses although llhttp takes it, each with its reason (docs/reference/http.md). Written
 * with strings and regular expressions, independently of the scanner that is under test.
 */
export interface Stricter {
  readonly name: string;
  readonly status: number;
  applies(facts: Facts): boolean;
}

/** A request as llhttp saw it, looked at once for all entries. */
export interface Facts {
  readonly request: ReferenceRequest;
  readonly target: Target | null;
  /** Values by field name in lower case, without surrounding white space. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
}

export function factsOf(request: ReferenceRequest): Facts {
  const fields = new Map<string, string[]>();
  for (const [name, value] of request.headers) {
    const key = name.toLowerCase();
    const values = fields.get(key);
    if (values === undefined) fields.set(key, [trimmed(value)]);
    else values.push(trimmed(value));
  }
  return { request, target: parseTarget(request.url, request.method), fields };
}

/** A target taken apart by the same independent means; null when it is none of the forms that Mayfly knows. */
export interface Target {
  /** As spelled by the path rule, null when the rule refuses it. */
  readonly path: string | null;
  readonly query: string;
  readonly authority: string | null;
}

const originForm = /^(\/[A-Za-z0-9\-._~%!$&'()*+,;=:@/^|]*)(?:\?([!$-;=?-~]*))?$/;
const absoluteForm = /^https?:\/\/([^/?]+)(.*)$/i;
const authorityForm =
  /^(?:\[[A-Za-z0-9\-._~!$&'()*+,;=:]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::[0-9]{0,5})?$/;

export function parseTarget(url: string, method: string): Target | null {
  if (url === '*') return method === 'OPTIONS' ? { path: '*', query: '', authority: null } : null;
  let authority: string | null = null;
  let rest = url;
  if (!url.startsWith('/')) {
    const absolute = absoluteForm.exec(url);
    if (absolute === null || !authorityForm.test(absolute[1])) return null;
    authority = absolute[1];
    rest = absolute[2].startsWith('/') ? absolute[2] : `/${absolute[2]}`;
  }
  const origin = originForm.exec(rest);
  return origin === null ? null : { path: normalised(origin[1]), query: origin[2] ?? '', authority };
}

/** The path rule, written a second time. */
export function normalised(path: string): string | null {
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return null;
  if (/%(?:[01][0-9a-f]|7f|2f|5c)/i.test(path)) return null;
  const decoded = path.replace(/%[0-9A-Fa-f]{2}/g, (escape) => {
    const character = String.fromCharCode(parseInt(escape.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : escape.toUpperCase();
  });
  const segments: string[] = [];
  const parts = decoded.split('/').slice(1);
  for (const part of parts) {
    if (part === '..' && segments.pop() === undefined) return null;
    if (part !== '' && part !== '.' && part !== '..') segments.push(part);
  }
  const last = parts.at(-1) ?? '';
  const slash = last === '' || last === '.' || last === '..' ? '/' : '';
  return segments.length === 0 ? '/' : `/${segments.join('/')}${slash}`;
}

const ours = new Set(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']);
const singletons = [
  'host',
  'content-length',
  'transfer-encoding',
  'expect',
  'authorization',
  'content-type',
  'idempotency-key',
  'traceparent',
  'x-request-id',
];

const notInTrailers = new Set([
  ...singletons,
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]);

const nothing: readonly string[] = [];

function values(facts: Facts, name: string): readonly string[] {
  return facts.fields.get(name) ?? nothing;
}

const connectionList =
  /^[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]*[ \t]*,[ \t]*)*[!#$%&'*+\-.^_`|~0-9A-Za-z]*[ \t]*$/;

function nominations(facts: Facts): number {
  const tokens = values(facts, 'connection').flatMap((value) => value.split(','));
  return tokens
    .map((token) => token.trim().toLowerCase())
    .filter((token) => token !== '' && token !== 'close' && token !== 'keep-alive').length;
}

export const stricter: readonly Stricter[] = [
  { name: 'unknown method', status: 501, applies: (facts) => !ours.has(facts.request.method) },
  {
    name: 'target too long',
    status: 414,
    applies: (facts) => facts.request.url.length > limits.maxTargetBytes,
  },
  {
    name: 'target of no known form, or with characters that belong escaped',
    status: 400,
    applies: ({ target }) => target === null,
  },
  {
    name: 'other version',
    status: 505,
    applies: (facts) => facts.request.minor !== 10 && facts.request.minor !== 11,
  },
  { name: 'HTTP/0.9', status: 400, applies: (facts) => facts.request.minor === 9 },
  {
    name: 'too many fields',
    status: 431,
    applies: (facts) => facts.request.headers.length > limits.maxHeaders,
  },
  {
    name: 'repeated singleton field',
    status: 400,
    applies: ({ request, fields }) =>
      fields.size < request.headers.length && singletons.some((name) => (fields.get(name)?.length ?? 0) > 1),
  },
  {
    name: 'no host',
    status: 400,
    applies: (facts) => facts.request.minor === 11 && values(facts, 'host').length === 0,
  },
  {
    name: 'host is no host',
    status: 400,
    applies: (facts) => values(facts, 'host').some((v) => !authorityForm.test(v)),
  },
  {
    name: 'connection is no list of tokens',
    status: 400,
    applies: (facts) =>
      values(facts, 'connection').some((v) => !connectionList.test(v)) || nominations(facts) > 16,
  },
  {
    name: 'white space after a framing value',
    status: 400,
    applies: (facts) =>
      facts.request.headers.some(
        ([n, v]) => /^(?:content-length|transfer-encoding)$/i.test(n) && trimmed(v) !== v,
      ),
  },
  {
    name: 'coding in HTTP/1.0 or beside a length',
    status: 400,
    applies: (facts) =>
      values(facts, 'transfer-encoding').length > 0 &&
      (facts.request.minor === 10 || values(facts, 'content-length').length > 0),
  },
  {
    name: 'other coding before chunked',
    status: 501,
    applies: (facts) => values(facts, 'transfer-encoding').some((v) => /,[ \t]*chunked$/i.test(v)),
  },
  {
    name: 'coding without chunked at its end',
    status: 400,
    applies: (facts) =>
      values(facts, 'transfer-encoding').some((v) => !/^chunked$/i.test(v) && !/,[ \t]*chunked$/i.test(v)),
  },
  {
    name: 'length of more than 15 digits',
    status: 413,
    applies: (facts) => values(facts, 'content-length').some((v) => v.length > 15),
  },
  {
    name: 'unknown expectation',
    status: 417,
    applies: (facts) =>
      facts.request.minor === 11 && values(facts, 'expect').some((v) => v.toLowerCase() !== '100-continue'),
  },
  {
    name: 'trailer that belongs in the head',
    status: 400,
    applies: (facts) => facts.request.trailers.some((name) => notInTrailers.has(name.toLowerCase())),
  },
  {
    name: 'path refused by the path rule',
    status: 400,
    applies: ({ target }) => target !== null && target.path === null,
  },
];
