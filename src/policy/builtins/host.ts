import { arrayItems } from './rego-text.ts';
import { sprintf, type FormatArgument } from './sprintf.ts';
import { yamlIsValid, yamlMarshal, yamlUnmarshal } from './yaml.ts';

/**
 * A builtin that OPA's Wasm leaves to its host: arguments as Rego text (rego-text.ts), the result as JSON;
 * undefined, which is Rego's undefined, where an argument has the wrong type.
 */
export type HostBuiltin = (args: readonly string[], json: readonly string[]) => string | undefined;

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
  ['yaml.is_valid', ([text]) => String(isString(text) && yamlIsValid(stringValue(text) as string))],
  ['yaml.marshal', (_args, [value]) => JSON.stringify(yamlMarshal(JSON.parse(value as string)))],
  [
    'yaml.unmarshal',
    ([text]) => (isString(text) ? JSON.stringify(yamlUnmarshal(stringValue(text) as string)) : undefined),
  ],
]);

function formatArgument(text: string): FormatArgument {
  const string = stringValue(text);
  if (string !== undefined) return { kind: 'string', value: string };
  if (/^-?\d+$/.test(text)) return { kind: 'int', value: BigInt(text) };
  if (/^-?\d/.test(text)) return { kind: 'float', value: Number(text) };
  return { kind: 'string', value: text };
}

function isString(text: string | undefined): boolean {
  return text?.startsWith('"') ?? false;
}

function stringValue(text: string | undefined): string | undefined {
  return isString(text) ? (JSON.parse(text as string) as string) : undefined;
}
