/**
 * What `PUT /v1/functions/{name}` accepts: the module alone (`application/wasm`), or `multipart/form-data` with the parts
 * `code` (the module) or `image` (where to fetch it), and `settings` (JSON), all optional, so that one call carries both.
 */
import { z } from 'zod';
import { MAX_MODULE_BYTES } from '../deploy.ts';
import type { RawBody } from './operation.ts';
import { AdminProblem } from './problem.ts';

export interface DeployBody {
  readonly wasm: Uint8Array | null;
  /** `oci://HOST/REPOSITORY@sha256:…` */
  readonly image: string | null;
  /** Checked; null when the caller gave none. */
  readonly settings: unknown;
}

/** `settings` is the schema of one function's settings, the same as in mayfly.yaml. */
export function deployBody(settings: z.ZodType): RawBody<DeployBody> {
  return {
    types: {
      'application/wasm': { schema: { type: 'string', format: 'binary' } },
      'multipart/form-data': {
        schema: {
          type: 'object',
          properties: {
            code: { type: 'string', format: 'binary', description: 'The module. Without it the code stays.' },
            image: {
              type: 'string',
              description: 'An image to fetch the module from instead: oci://HOST/REPOSITORY@sha256:…',
            },
            settings: {
              ...z.toJSONSchema(settings, { io: 'input', unrepresentable: 'any' }),
              description: 'Routes, limits and env, as in mayfly.yaml. Without it they stay.',
            },
          },
        },
        encoding: {
          code: { contentType: 'application/wasm' },
          settings: { contentType: 'application/json' },
        },
      },
    },
    maxBytes: MAX_MODULE_BYTES + 1024 * 1024,
    async read(bytes, contentType) {
      if (/^application\/wasm\s*(;|$)/i.test(contentType))
        return { wasm: bytes, image: null, settings: null };
      const parts = await readParts(bytes, contentType);
      if (parts.wasm === null && parts.image === null && parts.settings === null) {
        throw bad('Send the module as part `code` or where it is as part `image`, or `settings`, or both.');
      }
      if (parts.wasm !== null && parts.image !== null) throw bad('Send `code` or `image`, not both.');
      return { ...parts, settings: parts.settings === null ? null : check(settings, parts.settings) };
    },
  };
}

async function readParts(bytes: Uint8Array, contentType: string) {
  let form: FormData;
  try {
    form = await new Response(bytes as Uint8Array<ArrayBuffer>, {
      headers: { 'content-type': contentType },
    }).formData();
  } catch {
    throw bad('The body is not valid multipart/form-data.');
  }
  let wasm: Uint8Array | null = null;
  let image: string | null = null;
  let settings: string | null = null;
  for (const [name, value] of form) {
    if (name === 'code' && typeof value !== 'string') wasm = new Uint8Array(await value.arrayBuffer());
    else if (name === 'image' && typeof value === 'string') image = value;
    else if (name === 'settings') settings = typeof value === 'string' ? value : await value.text();
    else
      throw bad(
        `There is no part ${JSON.stringify(name.slice(0, 50))} here, or it is not a file. Known: code (a file), image, settings.`,
      );
  }
  return { wasm, image, settings };
}

/** Checked with the schema, kept as it was written: defaults may change later, the order does not. */
function check(schema: z.ZodType, text: string): unknown {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    throw bad('The part `settings` is not JSON.');
  }
  const result = schema.safeParse(written);
  if (!result.success) throw bad(explainIssues(result.error));
  return written;
}

/** One line per issue: the path and what is wrong. Values are not repeated; they may be secret. */
export function explainIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 10)
    .map((issue) => `${issue.path.map(String).join('.') || 'body'}: ${issue.message}`)
    .join('; ');
}

function bad(detail: string): AdminProblem {
  return new AdminProblem(400, 'bad-body', 'Bad body', detail);
}
