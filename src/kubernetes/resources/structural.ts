/**
 * From our schema to the structural one that a CustomResourceDefinition needs
 * (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema):
 * one type for each value, no alternatives, bounds on everything that a rule looks at.
 */
import type { SchemaNode } from '../../config/tree.ts';
import { nameRules, type Rule, valueRules } from './rules.ts';

export interface Structural {
  readonly [keyword: string]: unknown;
}

/** What the API server may have to look at in one rule: its cost estimate wants bounds. */
const LONGEST_TEXT = 2048;
const LONGEST_NUMBER = 32;
const MOST_ENTRIES = 64;

/** `extra`: rules over several values of the same mapping. */
export function structural(node: SchemaNode, extra: readonly Rule[] = []): Structural {
  const { description, default: preset } = node;
  const rules = [...valueRules(node), ...extra];
  return {
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
    ...typed(node, rules),
  };
}

function typed(node: SchemaNode, rules: readonly Rule[]): Structural {
  if (node.properties !== undefined) return mapping(node, rules);
  if (node.additionalProperties !== undefined && node.additionalProperties !== false) {
    const values = structural(node.additionalProperties);
    const names = nameRules(node.propertyNames);
    return {
      type: 'object',
      additionalProperties: values,
      maxProperties: MOST_ENTRIES,
      ...validations([...names, ...rules]),
    };
  }
  if (node.items !== undefined) {
    const { minItems, maxItems = MOST_ENTRIES } = node;
    const least = minItems === undefined ? {} : { minItems };
    return { type: 'array', items: structural(node.items), ...least, maxItems, ...validations(rules) };
  }
  return { ...scalar(node), ...validations(rules) };
}

function mapping({ properties = {}, required = [] }: SchemaNode, rules: readonly Rule[]): Structural {
  const entries = Object.entries(properties).map(([key, child]) => [key, structural(child)]);
  return {
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries(entries),
    ...validations(rules),
  };
}

function scalar(node: SchemaNode): Structural {
  switch (node.shape?.unit) {
    case 'integer':
      return { type: 'integer', format: 'int64' };
    case 'number':
      return { type: 'number' };
    case 'flag':
      return { type: 'boolean' };
    case 'milliseconds':
    case 'share':
      return { type: 'string', maxLength: LONGEST_NUMBER };
    case 'bytes':
    case 'millicores':
      return { 'x-kubernetes-int-or-string': true, maxLength: LONGEST_NUMBER };
    case 'base64':
      return { type: 'string', format: 'byte', maxLength: node.maxLength };
    default:
      return node.enum === undefined
        ? { type: 'string', maxLength: node.maxLength ?? LONGEST_TEXT }
        : { type: 'string', enum: node.enum };
  }
}

function validations(rules: readonly Rule[]): Structural {
  return rules.length === 0 ? {} : { 'x-kubernetes-validations': rules };
}
