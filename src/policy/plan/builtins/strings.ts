import { RegoSet } from '../values.ts';

const isText = (value: unknown): value is string => typeof value === 'string';

export const strings = {
  startswith: (text: unknown, prefix: unknown) =>
    isText(text) && isText(prefix) ? text.startsWith(prefix) : undefined,
  endswith: (text: unknown, suffix: unknown) =>
    isText(text) && isText(suffix) ? text.endsWith(suffix) : undefined,
  contains: (text: unknown, part: unknown) =>
    isText(text) && isText(part) ? text.includes(part) : undefined,
  concat(delimiter: unknown, collection: unknown) {
    if (!isText(delimiter)) return undefined;
    const parts = collection instanceof RegoSet ? collection.elements().toSorted() : collection;
    return Array.isArray(parts) && parts.every(isText) ? parts.join(delimiter) : undefined;
  },
};
