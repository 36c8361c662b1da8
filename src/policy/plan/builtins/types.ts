import { isNumber } from '../numbers.ts';
import { isObject, RegoSet } from '../values.ts';

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (isNumber(value)) return 'number';
  if (Array.isArray(value)) return 'array';
  if (value instanceof RegoSet) return 'set';
  return typeof value;
}

export const types = {
  is_array: (value: unknown) => Array.isArray(value),
  is_boolean: (value: unknown) => typeof value === 'boolean',
  is_null: (value: unknown) => value === null,
  is_number: isNumber,
  is_object: isObject,
  is_set: (value: unknown) => value instanceof RegoSet,
  is_string: (value: unknown) => typeof value === 'string',
  type_name: typeName,
};
