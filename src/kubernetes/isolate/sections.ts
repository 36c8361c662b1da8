/** Values of a spec in the words of `mayfly.yaml`. Pure. */
import { formatDuration } from '../../config/units.ts';
import { container, type SchemaNode } from '../../config/tree.ts';
import { snakeCase } from '../resources/camel-case.ts';
import { cpuQuantity } from '../resources/quantity.ts';

/** Text that stays what it is: `${` begins a variable in mayfly.yaml, and whoever writes a Function must not read ours. */
export function literal(text: string): string {
  return text.replaceAll('${', () => '$${');
}

/** A variable of the pods' environment. */
export function variable(name: string): string {
  return `\${${name}}`;
}

/** How keys and texts are written. */
export interface Spelling {
  key(name: string): string;
  text(text: string): string;
}

const IN_FILE: Spelling = { key: snakeCase, text: literal };

/** A parsed value with its units and in the keys of the file; names in mappings are nobody's keys and stay. */
export function written(node: SchemaNode, value: unknown, spelling: Spelling = IN_FILE): unknown {
  switch (node.shape?.unit) {
    case 'milliseconds':
      return formatDuration(value as number);
    case 'millicores':
      return cpuQuantity(value as number);
    default:
  }
  if (typeof value === 'string') return spelling.text(value);
  if (Array.isArray(value)) {
    const { items = {} } = container(node);
    return value.map((item) => written(items, item, spelling));
  }
  if (typeof value !== 'object' || value === null) return value;
  const { properties, additionalProperties } = container(node);
  const values = additionalProperties === false ? {} : (additionalProperties ?? {});
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .map(([key, inner]): [string, unknown] =>
      properties === undefined
        ? [key, written(values, inner, spelling)]
        : [spelling.key(key), written(properties[key] ?? {}, inner, spelling)],
    );
  return Object.fromEntries(properties === undefined ? entries.toSorted(byKey) : entries);
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
