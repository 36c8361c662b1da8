/** One entry of the admin API: what the router matches, what OpenAPI describes, and what runs. */
import type { z } from 'zod';

export interface Call<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Who calls, for the audit log. */
  readonly actor: string;
}

export type Answer =
  /** Without `json` there is no content. */
  | { readonly status: number; readonly json?: unknown }
  /** One JSON document a line, for as long as both sides want. */
  | {
      readonly status: 200;
      readonly lines: (send: (line: unknown) => void) => () => void;
      readonly follow: boolean;
    };

/** A body that is not JSON: its media types with what OpenAPI says about each, and a reader. */
export interface RawBody<Body> {
  readonly types: Readonly<Record<string, object>>;
  readonly maxBytes: number;
  read(bytes: Uint8Array, contentType: string): Promise<Body>;
}

export type BodyShape<Body> =
  | { readonly json: z.ZodType<Body>; readonly optional?: boolean }
  | { readonly raw: RawBody<Body> };

export interface Operation<Params = unknown, Query = unknown, Body = unknown> {
  readonly id: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** `/v1/functions/{name}`. */
  readonly path: string;
  readonly summary: string;
  readonly params?: z.ZodObject & z.ZodType<Params>;
  readonly query?: z.ZodObject & z.ZodType<Query>;
  readonly body?: BodyShape<Body>;
  /** Schemas of its successful answers by status; null: no content. */
  readonly answers: Readonly<
    Record<number, { readonly schema: z.ZodType | null; readonly text: string; readonly lines?: true }>
  >;
  /** Statuses of the problems that it can answer with beside 400, 401, 403 and 500, which every one can. */
  readonly problems?: readonly number[];
  /** Needs no token. */
  readonly open?: boolean;
  handle(call: Call<Params, Query, Body>): Promise<Answer> | Answer;
}

/** Ties the types of an operation's schemas to those of its handler, then forgets them. */
export function operation<Params, Query, Body>(definition: Operation<Params, Query, Body>): Operation {
  return definition as unknown as Operation;
}
