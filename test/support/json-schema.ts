/**
 * A check of JSON values against the part of JSON Schema 2020-12 that our OpenAPI document uses. Unknown keywords are an
 * error, so that a schema never seems to hold because nobody looked.
 */
type Schema = Record<string, unknown>;

const notes = new Set([
  'description',
  'id',
  'default',
  'kind',
  'secret',
  'shape',
  '$schema',
  'format',
  'contentEncoding',
]);

/** Where and how `value` breaks `schema`; empty when it fits. `$ref`s are looked up in `root`. */
export function violations(value: unknown, schema: Schema, root: Schema, where = '$'): string[] {
  const found: string[] = [];
  const say = (what: string) => found.push(`${where}: ${what}`);
  for (const [keyword, wanted] of Object.entries(schema)) {
    switch (keyword) {
      case '$ref':
        found.push(...violations(value, resolve(wanted as string, root), root, where));
        break;
      case 'type': {
        const types = Array.isArray(wanted) ? (wanted as string[]) : [wanted as string];
        if (!types.some((type) => isOf(value, type))) say(`is not ${types.join(' or ')}`);
        break;
      }
      case 'enum':
        if (!(wanted as unknown[]).includes(value)) say(`is not one of ${JSON.stringify(wanted)}`);
        break;
      case 'const':
        if (value !== wanted) say(`is not ${JSON.stringify(wanted)}`);
        break;
      case 'anyOf':
        if (!(wanted as Schema[]).some((option) => violations(value, option, root, where).length === 0)) {
          say('fits no option');
        }
        break;
      case 'minimum':
        if (typeof value === 'number' && value < (wanted as number)) say(`is less than ${String(wanted)}`);
        break;
      case 'maximum':
        if (typeof value === 'number' && value > (wanted as number)) say(`is more than ${String(wanted)}`);
        break;
      case 'pattern':
        if (typeof value === 'string' && !new RegExp(wanted as string, 'u').test(value))
          say('has the wrong form');
        break;
      case 'items':
        if (Array.isArray(value)) {
          value.forEach((item, index) => {
            found.push(...violations(item, wanted as Schema, root, `${where}[${index}]`));
          });
        }
        break;
      case 'required':
        for (const name of wanted as string[]) {
          if (isOf(value, 'object') && !Object.hasOwn(value as object, name)) say(`lacks ${name}`);
        }
        break;
      case 'properties':
      case 'additionalProperties':
      case 'propertyNames':
        break;
      default:
        if (!notes.has(keyword)) throw new Error(`${where}: the keyword ${keyword} is not checked here`);
    }
  }
  if (isOf(value, 'object')) found.push(...memberViolations(value as Schema, schema, root, where));
  return found;
}

function memberViolations(value: Schema, schema: Schema, root: Schema, where: string): string[] {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
  const others = schema['additionalProperties'];
  return Object.entries(value).flatMap(([name, item]) => {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (known !== undefined) return violations(item, known, root, `${where}.${name}`);
    if (others === false) return [`${where}: has ${name}, which is not described`];
    return typeof others === 'object' ? violations(item, others as Schema, root, `${where}.${name}`) : [];
  });
}

export function resolve(reference: string, root: Schema): Schema {
  let place: unknown = root;
  for (const part of reference.replace('#/', '').split('/')) place = (place as Schema)[part];
  if (place === undefined) throw new Error(`${reference} leads nowhere`);
  return place as Schema;
}

function isOf(value: unknown, type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return value !== null && typeof value === 'object' && !Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}
