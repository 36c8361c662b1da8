/** Speaks to the admin API (src/control/admin). Its problem documents become MayflyErrors. */
import { z } from 'zod';
import { problem } from '../../control/admin/schemas.ts';
import { MayflyError } from '../../model/errors.ts';
import type { Connection } from './connection.ts';

export interface AdminRequest {
  /** Default: POST with a body, else GET. */
  readonly method?: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly json?: unknown;
  readonly form?: FormData;
}

export interface AdminClient {
  /** The answer, checked against its schema. Throws MayflyError. */
  call<T extends z.ZodType>(path: string, schema: T, request?: AdminRequest): Promise<z.output<T>>;
  /** For answers without content. */
  order(path: string, request: AdminRequest): Promise<void>;
  /** Calls `onLine` for each line of a stream until it ends. */
  lines<T extends z.ZodType>(
    path: string,
    schema: T,
    request: AdminRequest,
    onLine: (line: z.output<T>) => void,
  ): Promise<void>;
}

export function createAdminClient({ url, token }: Connection): AdminClient {
  const send = async (path: string, { method, query = {}, json, form }: AdminRequest): Promise<Response> => {
    const target = new URL(path, url);
    for (const [name, value] of Object.entries(query)) target.searchParams.set(name, String(value));
    const headers = new Headers({ authorization: `Bearer ${token}`, 'mayfly-actor': 'cli' });
    if (json !== undefined) headers.set('content-type', 'application/json');
    const body = form ?? (json === undefined ? null : JSON.stringify(json));
    let response: Response;
    try {
      response = await fetch(target, { method: method ?? (body === null ? 'GET' : 'POST'), headers, body });
    } catch (error) {
      throw unreachable(url, error);
    }
    if (!response.ok) throw await failure(url, response);
    return response;
  };
  return {
    async call(path, schema, request = {}) {
      const response = await send(path, request);
      return schema.parse(await response.json());
    },
    async order(path, request) {
      await send(path, request);
    },
    async lines(path, schema, request, onLine) {
      const { body } = await send(path, request);
      if (body === null) return;
      let rest = '';
      try {
        for await (const text of body.pipeThrough(new TextDecoderStream())) {
          const whole = (rest + text).split('\n');
          rest = whole.pop() ?? '';
          for (const line of whole) if (line !== '') onLine(schema.parse(JSON.parse(line)));
        }
      } catch (error) {
        if (error instanceof z.ZodError || error instanceof SyntaxError) throw error;
        throw new MayflyError('The server ended the connection', { where: url.origin, code: 'no-server' });
      }
    },
  };
}

/** `/v1/functions/hello/logs` */
export function functionPath(name: string, ...rest: string[]): string {
  return ['/v1/functions', encodeURIComponent(name), ...rest].join('/');
}

function unreachable(url: URL, error: unknown): MayflyError {
  const { cause } = error as { cause?: NodeJS.ErrnoException };
  const refused = cause?.code === 'ECONNREFUSED';
  return new MayflyError(
    refused ? 'No Mayfly is running there' : `Cannot reach the admin API: ${cause?.message ?? String(error)}`,
    {
      where: url.origin,
      fix: refused ? 'Start one with `mayfly serve`, or name another with --admin URL.' : undefined,
      code: 'no-server',
      cause: error,
    },
  );
}

async function failure(url: URL, response: Response): Promise<MayflyError> {
  const parsed = problem.safeParse(await response.json().catch(() => null));
  if (!parsed.success) {
    return new MayflyError(`This is not the admin API of Mayfly: it answered ${response.status}`, {
      where: url.origin,
      code: 'no-server',
    });
  }
  const { type, title, detail, where, fix, status } = parsed.data;
  const code = type.slice(type.lastIndexOf(':') + 1);
  if (status === 401) {
    return new MayflyError('The server does not take this token', {
      where: url.origin,
      fix: 'Give the one in admin.token_file of its configuration: --token-file FILE.',
      code,
    });
  }
  // A problem without place and advice tells everything in its detail.
  const what = where === undefined && fix === undefined ? `${title}: ${detail}` : title;
  return new MayflyError(detail === title ? title : what, { where, fix, code });
}
