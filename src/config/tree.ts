import { z } from 'zod';
import type { KeyPath } from './document.ts';
import type { Facts } from './scalars.ts';
import { schema } from './schema.ts';

/** The schema as JSON Schema, with our own words (see scalars.ts) still in it. */
export interface SchemaNode extends Facts {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly propertyNames?: SchemaNode;
  readonly additionalProperties?: SchemaNode | false;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

export const schemaTree = z.toJSONSchema(schema, { io: 'input' }) as SchemaNode;

/** What the schema says of the value at `path`; undefined for keys that it does not know. */
export function describedAt(path: KeyPath, from: SchemaNode = schemaTree): SchemaNode | undefined {
  let node: SchemaNode | undefined = from;
  for (const step of path) {
    const holder: SchemaNode | undefined = node === undefined ? undefined : container(node);
    if (holder === undefined) return undefined;
    const { properties = {}, additionalProperties, items }: SchemaNode = holder;
    if (typeof step === 'number') node = items;
    else if (Object.hasOwn(properties, step)) node = properties[step];
    else node = additionalProperties === false ? undefined : additionalProperties;
  }
  return node;
}

/** The alternative of a choice that has keys or items of its own. */
export function container(node: SchemaNode): SchemaNode {
  return node.anyOf?.find(({ properties, items }) => properties !== undefined || items !== undefined) ?? node;
}

/** The words for what is allowed at a place. */
export function allowedAt(node: SchemaNode | undefined): string | null {
  if (node === undefined) return null;
  if (node.kind !== undefined) return node.kind;
  if (node.properties !== undefined) return `a mapping with ${Object.keys(node.properties).join(', ')}`;
  if (node.items !== undefined) return `a list, each ${allowedAt(node.items) ?? 'a value'}`;
  const values = node.additionalProperties;
  return values === undefined || values === false ? null : `a mapping, each value ${allowedAt(values)}`;
}
