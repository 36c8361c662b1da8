import { arrayItems, parseRego, writeRego } from './rego-text.ts';
import { toJsonValue } from '../plan/operations.ts';
import { PolicyEvaluationError } from '../types.ts';
import { LinearRegex } from './regex/match.ts';
import { PatternError } from './regex/syntax.ts';
import { sprintf, type FormatArgument } from './sprintf.ts';
import { yamlIsValid, yamlMarshal, yamlUnmarshal } from './yaml.ts';

/**
 * A builtin that OPA's Wasm leaves to its host: arguments as Rego text (rego-text.ts), the result as JSON;
 * undefined, which is Rego's undefined, where an argument has the wrong type.
 */
export type HostBuiltin = (args: readonly string[]) => string | undefined;

/** Every other one is refused when the policy is loaded. */
export const hostBuiltins: ReadonlyMap<string, HostBuiltin> = new Map<string, HostBuiltin>([
  [
    'sprintf',
    ([format, values]) => {
      const text = stringValue(format);
      if (text === undefined || !values?.startsWith('[')) return undefined;
      return JSON.stringify(sprintf(text, arrayItems(values).map(formatArgument)));
    },
  ],
  [
    'regex.split',
    ([pattern, text]) => {
      if (!isString(pattern) || !isString(text)) return undefined;
      const regex = compiledRegex(stringValue(pattern) as string);
      return regex === null ? undefined : JSON.stringify(regex.split(stringValue(text) as string));
    },
  ],
  ['yaml.is_valid', ([text]) => String(isString(text) && yamlIsValid(stringValue(text) as string))],
  ['yaml.marshal', ([value]) => JSON.stringify(yamlMarshal(toJsonValue(parseRego(value as string))))],
  [
    'yaml.unmarshal',
    ([text]) => (isString(text) ? JSON.stringify(yamlUnmarshal(stringValue(text) as string)) : undefined),
  ],
]);

const REGEXES = new Map<string, LinearRegex | null>();
const MAX_REGEXES = 100;

/** Null where the pattern is wrong, which Rego calls undefined. */
function compiledRegex(pattern: string): LinearRegex | null {
  let regex = REGEXES.get(pattern);
  if (regex === undefined) {
    if (REGEXES.size >= MAX_REGEXES) REGEXES.clear();
    REGEXES.set(pattern, (regex = compileRegex(pattern)));
  }
  return regex;
}

function compileRegex(pattern: string): LinearRegex | null {
  try {
    return new LinearRegex(pattern);
  } catch (error) {
    if (error instanceof PatternError) return null;
    throw new PolicyEvaluationError(`regex.split cannot use this pattern: ${(error as Error).message}.`);
  }
}

function formatArgument(text: string): FormatArgument {
  const string = stringValue(text);
  if (string !== undefined) return { kind: 'string', value: string };
  if (/^-?\d+$/.test(text)) return { kind: 'int', value: BigInt(text) };
  if (/^-?\d/.test(text)) return { kind: 'float', value: Number(text) };
  return { kind: 'string', value: writeRego(parseRego(text)) };
}

function isString(text: string | undefined): boolean {
  return text?.startsWith('"') ?? false;
}

function stringValue(text: string | undefined): string | undefined {
  return isString(text) ? (JSON.parse(text as string) as string) : undefined;
}
