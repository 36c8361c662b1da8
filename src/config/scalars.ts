/**
 * The kinds of value that the configuration is made of. Each carries `kind`, the words for "what is allowed" that
 * errors and the reference page share, beside what JSON Schema needs. Numbers and switches also take their text,
 * because that is what `${VAR}` gives.
 */
import { z } from 'zod';
import {
  formatDuration,
  formatQuantity,
  formatShare,
  parseCpu,
  parseDuration,
  parseQuantity,
  parseShare,
  type Parsed,
} from './units.ts';

export interface Facts {
  /** What is allowed here, in words. */
  readonly kind?: string;
  /** The value is never shown. */
  readonly secret?: boolean;
  /** What JSON Schema cannot say, for those who check the value in another language (the API server of Kubernetes). */
  readonly shape?: Shape;
}

export interface Shape {
  readonly unit:
    | 'integer'
    | 'number'
    | 'flag'
    | 'milliseconds'
    | 'bytes'
    | 'millicores'
    | 'share'
    | 'url'
    | 'base64';
  /** In that unit. */
  readonly minimum?: number;
  readonly maximum?: number;
}

const VARIABLE = '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}';

function fromText<T>(
  json: object,
  { kind, shape }: { kind: string; shape: Shape },
  parse: (text: string) => { value: T } | { problem: string },
) {
  return z
    .unknown()
    .transform((input, context): T => {
      const text = typeof input === 'number' || typeof input === 'boolean' ? String(input) : input;
      const parsed = typeof text === 'string' ? parse(text.trim()) : { problem: 'has the wrong type' };
      if ('value' in parsed) return parsed.value;
      context.issues.push({ code: 'custom', message: parsed.problem, input });
      return z.NEVER;
    })
    .meta({ ...json, kind, shape });
}

/** Refuses what lies outside [minimum, maximum]. */
function within(parsed: Parsed, minimum: number, maximum: number): Parsed {
  if (!('value' in parsed)) return parsed;
  if (parsed.value < minimum) return { problem: 'is too small' };
  return parsed.value > maximum ? { problem: 'is too large' } : parsed;
}

export function integer(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER) {
  const range =
    maximum === Number.MAX_SAFE_INTEGER
      ? `a whole number, at least ${minimum}`
      : `a whole number from ${minimum} to ${maximum}`;
  const parse = (text: string): Parsed =>
    /^-?\d{1,16}$/.test(text)
      ? within({ value: Number(text) }, minimum, maximum)
      : { problem: 'is not a whole number' };
  const json = { type: ['integer', 'string'], minimum, maximum, pattern: `^(\\d+|${VARIABLE})$` };
  return fromText(json, { kind: range, shape: { unit: 'integer', minimum, maximum } }, parse);
}

/** A number that may have a fraction. */
export function decimal(minimum: number, maximum: number) {
  const parse = (text: string): Parsed =>
    /^\d{1,15}(\.\d{1,15})?$/.test(text)
      ? within({ value: Number(text) }, minimum, maximum)
      : { problem: 'is not a number' };
  const json = { type: ['number', 'string'], minimum, maximum, pattern: `^(\\d+(\\.\\d+)?|${VARIABLE})$` };
  const kind = `a number from ${minimum} to ${maximum}`;
  return fromText(json, { kind, shape: { unit: 'number', minimum, maximum } }, parse);
}

function parseFlag(text: string): { value: boolean } | { problem: string } {
  return text === 'true' || text === 'false'
    ? { value: text === 'true' }
    : { problem: 'is neither true nor false' };
}

export function flag() {
  const json = { type: ['boolean', 'string'], pattern: `^(true|false|${VARIABLE})$` };
  return fromText(json, { kind: 'true or false', shape: { unit: 'flag' } }, parseFlag);
}

/** Milliseconds. What a timer is set to must stay below its limit of 24 days. */
export function duration(minimum: number, maximum: number = 365 * 86_400_000) {
  const kind = `a duration such as 30s, 250ms, 5m or 1h30m, from ${formatDuration(minimum)} to ${formatDuration(maximum)}`;
  const pattern = `^(0|(\\d+(\\.\\d+)?(ms|s|m|h|d))+|.*${VARIABLE}.*)$`;
  const shape = { unit: 'milliseconds', minimum, maximum } as const;
  return fromText({ type: 'string', pattern }, { kind, shape }, (text) =>
    within(parseDuration(text), minimum, maximum),
  );
}

/** Bytes. */
export function quantity(minimum: number, maximum: number) {
  const kind = `a size in bytes such as 64Mi, 1Gi, 500k or 1024, from ${formatQuantity(minimum)} to ${formatQuantity(maximum)}`;
  const pattern = `^(\\d+(\\.\\d+)?([kMGT]|[KMGT]i)?|.*${VARIABLE}.*)$`;
  const shape = { unit: 'bytes', minimum, maximum } as const;
  return fromText({ type: ['string', 'integer'], pattern }, { kind, shape }, (text) =>
    within(parseQuantity(text), minimum, maximum),
  );
}

/** Thousandths of a core. */
export function cpu() {
  const kind = 'a share of CPU such as 100m (a tenth of a core), 0.5 or 2, from 1m to 1024';
  const pattern = `^(\\d+m|\\d+(\\.\\d+)?|.*${VARIABLE}.*)$`;
  const shape = { unit: 'millicores', minimum: 1, maximum: 1_024_000 } as const;
  return fromText({ type: ['string', 'number'], pattern }, { kind, shape }, (text) =>
    within(parseCpu(text), shape.minimum, shape.maximum),
  );
}

/** A part of 1, written in percent. */
export function share(minimum: number, maximum: number) {
  const kind = `a share such as 1% or 0.5%, from ${formatShare(minimum)} to ${formatShare(maximum)}`;
  const pattern = `^(\\d{1,3}(\\.\\d{1,6})?%|.*${VARIABLE}.*)$`;
  const shape = { unit: 'share', minimum, maximum } as const;
  return fromText({ type: 'string', pattern }, { kind, shape }, (text) =>
    within(parseShare(text), minimum, maximum),
  );
}

export function choice<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values).meta({ kind: `one of ${values.join(', ')}` });
}

export function text(kind = 'a string that is not empty') {
  return z.string().min(1).meta({ kind });
}

/** A string that must look like `pattern`; `kind` says so in words. */
export function shaped(pattern: RegExp, kind: string) {
  return z.string().regex(pattern, misshapen(kind)).meta({ kind });
}

/** The problem of a string that does not look like `kind`. */
export function misshapen(kind: string): string {
  if (kind.startsWith('one of ')) return 'is not one of those allowed';
  // What follows these is an example or a remark; it is said where what is allowed is said.
  return `is not ${kind.split(/,? such as |, relative |, with|: | \(|;/)[0]}`;
}

export function path(kind = 'a path, relative to the configuration file') {
  // The operating system ends a path at NUL; Node refuses such a path.
  return z
    .string()
    .regex(/^[^\0]+$/, 'is empty or has a NUL in it')
    .meta({ kind });
}

/** A secret: never printed, and never empty, because an empty secret would let everybody in. */
export function secret() {
  return z.string().min(1).meta({ kind: 'a string that is not empty', secret: true });
}

/** Bytes as text (RFC 4648 §4), so many of them at most. */
export function base64(maximum: number) {
  const kind = `base64 of ${formatQuantity(maximum)} at most`;
  return z
    .base64(misshapen(kind))
    .min(4)
    .max(Math.ceil(maximum / 3) * 4)
    .meta({ kind, shape: { unit: 'base64', maximum } });
}

export function url() {
  return z
    .string()
    .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), 'is not a URL')
    .meta({ kind: 'a URL that begins with http:// or https://', shape: { unit: 'url' } });
}
