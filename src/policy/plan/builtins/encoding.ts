import { isUtf8 } from 'node:buffer';
import { fallback } from '../fallback.ts';
import { toJsonValue } from '../operations.ts';
import { BigDecimal } from '../numbers.ts';
import { isObject, keysOfObject, lookup, RegoSet } from '../values.ts';

/** base64 and JSON as text. */
const isText = (value: unknown): value is string => typeof value === 'string';

function textOf(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : fallback();
}

const base64Text = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const base64UrlText = /^[A-Za-z0-9_-]*$/;

function isBase64(text: unknown): boolean {
  // Line breaks inside are fine for one form of OPA and not for the other.
  if (isText(text) && /[\r\n]/.test(text)) fallback();
  return isText(text) && base64Text.test(text);
}

function decodeBase64Url(text: unknown): string | undefined {
  if (!isText(text)) return undefined;
  const bare = text.length % 4 === 0 ? text.replace(/={1,2}$/, '') : text;
  if (/[\r\n=]/.test(bare)) fallback();
  return base64UrlText.test(bare) && bare.length % 4 !== 1
    ? textOf(Buffer.from(bare, 'base64url'))
    : undefined;
}

/** Texts that every JSON writer escapes in the same way. Go writes `<` as \u003c, OPA's WebAssembly form does not. */
// oxlint-disable-next-line no-control-regex
const plainText = /^(?:[^\0-\x1f<>&\x7f\u2028\u2029\ud800-\udfff]|[\n\r\t]|[\ud800-\udbff][\udc00-\udfff])*$/;

function marshal(value: unknown): string {
  requirePlain(value);
  return JSON.stringify(toJsonValue(value));
}

/** Falls back for what the two forms of OPA write differently. */
function requirePlain(value: unknown): void {
  if (value instanceof BigDecimal || (isText(value) && !plainText.test(value))) fallback();
  if (Array.isArray(value)) value.forEach(requirePlain);
  else if (value instanceof RegoSet) value.elements().forEach(requirePlain);
  else if (isObject(value)) {
    for (const key of keysOfObject(value)) {
      // Names that look like numbers are moved to the front by JavaScript.
      if (!isText(key) || /^\d+$/.test(key)) fallback();
      requirePlain(key);
      requirePlain(lookup(value, key));
    }
  }
}

function unmarshal(text: unknown): unknown {
  if (!isText(text)) return undefined;
  try {
    return JSON.parse(text, exactNumber as (key: string, value: unknown) => unknown);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function exactNumber(_key: string, value: unknown, { source }: { source?: string }): unknown {
  // 1.0 is equal to 1 and yet written as 1.0 again.
  if (typeof value === 'number' && String(value) !== source) fallback();
  return value;
}

function isJson(text: unknown): boolean {
  if (!isText(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export const encoding = {
  'base64.encode': (text: unknown) => (isText(text) ? Buffer.from(text).toString('base64') : undefined),
  'base64.decode': (text: unknown) =>
    isBase64(text) ? textOf(Buffer.from(text as string, 'base64')) : undefined,
  'base64.is_valid': isBase64,
  'base64url.encode': (text: unknown) => {
    if (!isText(text)) return undefined;
    const encoded = Buffer.from(text).toString('base64url');
    return encoded.padEnd(Math.ceil(encoded.length / 4) * 4, '=');
  },
  'base64url.decode': decodeBase64Url,
  'json.marshal': marshal,
  'json.unmarshal': unmarshal,
  'json.is_valid': isJson,
};
