/** OpenAPI 3.1 from the table of operations: the schemas that check are the schemas that describe. */
import { z } from 'zod';
import type { Operation } from './operation.ts';
import { problem } from './schemas.ts';

type Json = Record<string, unknown>;

const everywhere = [400, 401, 403, 500];

const titles: Readonly<Record<number, string>> = {
  400: 'The request is not well-formed.',
  401: 'The bearer token is missing or wrong.',
  403: 'The Host header does not name this API.',
  404: 'No such function or revision.',
  409: 'It conflicts with what is there.',
  413: 'The body is too large.',
  415: 'This media type is not accepted here.',
  422: 'The order is understood but cannot be carried out; the detail says why.',
  500: 'The control plane failed.',
  502: 'The gateway did not answer.',
  507: 'The disk is full.',
};

export function openApi(operations: readonly Operation[], version: string): Json {
  const components: Record<string, unknown> = {};
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    paths[operation.path] ??= {};
    (paths[operation.path] as Json)[operation.method.toLowerCase()] = describe(operation, components);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Mayfly admin API',
      version,
      description:
        'Deploys, lists, splits, rolls back and removes functions. Errors are RFC 9457 problem documents.',
    },
    security: [{ token: [] }],
    paths,
    components: {
      schemas: components,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'The content of the file `admin.token_file`.' },
      },
    },
  };
}

function describe(operation: Operation, components: Record<string, unknown>): Json {
  const responses: Json = {};
  for (const [status, answer] of Object.entries(operation.answers)) {
    const type = answer.lines ? 'application/x-ndjson' : 'application/json';
    responses[status] = {
      description: answer.text,
      ...(answer.schema === null
        ? {}
        : { content: { [type]: { schema: schemaOf(answer.schema, 'output', components) } } }),
    };
  }
  const content = { 'application/problem+json': { schema: schemaOf(problem, 'output', components) } };
  for (const status of new Set([...everywhere, ...(operation.problems ?? [])])) {
    responses[status] = { description: titles[status], content };
  }
  return {
    operationId: operation.id,
    summary: operation.summary,
    parameters: [...parameters(operation.params, 'path'), ...parameters(operation.query, 'query')],
    ...requestBody(operation, components),
    responses,
    ...(operation.open === true ? { security: [] } : {}),
  };
}

function requestBody(operation: Operation, components: Record<string, unknown>): Json {
  const { body } = operation;
  if (body === undefined) return {};
  const content =
    'raw' in body
      ? body.raw.types
      : { 'application/json': { schema: schemaOf(body.json, 'input', components) } };
  return { requestBody: { required: !('optional' in body && body.optional), content } };
}

function parameters(schema: z.ZodObject | undefined, place: 'path' | 'query'): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const output = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }).properties ?? {};
  return Object.entries(properties).map(([name, described]) => {
    const { description, ...shape } = { ...(output[name] as Json), ...(described as Json) };
    return {
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      schema: shape,
      ...(description === undefined ? {} : { description }),
    };
  });
}

/** A reference to the schema's place among the components, where it and those it uses are put. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', components: Record<string, unknown>): Json {
  const {
    $schema: _,
    $defs = {},
    ...root
  } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json & {
    $defs?: Record<string, unknown>;
  };
  const moved = (value: unknown) =>
    JSON.parse(JSON.stringify(value).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
  for (const [name, definition] of Object.entries($defs)) components[name] = moved(definition);
  const id = schema.meta()?.id;
  if (id === undefined || root['$ref'] !== undefined) return moved(root);
  components[id] = moved(root);
  return { $ref: `#/components/schemas/${id}` };
}
