/**
 * The checks of `mayfly check` for the API server, in its own language (CEL,
 * https://kubernetes.io/docs/reference/using-api/cel/), with the sentences of `mayfly check`.
 */
import { misshapen, type Shape } from '../../config/scalars.ts';
import type { SchemaNode } from '../../config/tree.ts';

/** An entry of `x-kubernetes-validations`. */
export interface Rule {
  readonly rule: string;
  readonly message: string;
}

/** `is too small. Allowed: a whole number from 1 to 10.`, as a line of `mayfly check` ends. */
export function sentence(problem: string, allowed: string | undefined): string {
  return allowed === undefined ? `${problem}.` : `${problem}. Allowed: ${allowed}.`;
}

/** Rules for one value; empty where its type alone says enough. */
export function valueRules(node: SchemaNode): Rule[] {
  const must = (rule: string, problem: string): Rule => ({ rule, message: sentence(problem, node.kind) });
  if (node.shape !== undefined) return SHAPE_RULES[node.shape.unit](node.shape, must);
  const rules: Rule[] = [];
  if (node.minLength === 1) rules.push(must('size(self) > 0', 'is empty'));
  if (node.pattern !== undefined && node.enum === undefined) {
    rules.push(must(matches(node.pattern), misshapen(node.kind ?? '')));
  }
  return rules;
}

/** A rule for the names in a mapping. */
export function nameRules(names: SchemaNode | undefined): Rule[] {
  if (names?.pattern === undefined) return [];
  const rule = `self.all(name, name.matches(${text(names.pattern)}))`;
  return [{ rule, message: sentence('has a name that is not valid', names.kind) }];
}

type Must = (rule: string, problem: string) => Rule;

const SHAPE_RULES: Readonly<Record<Shape['unit'], (shape: Shape, must: Must) => Rule[]>> = {
  integer: (shape, must) => range('self', shape, must, String),
  number: (shape, must) => range('self', shape, must, decimal),
  flag: () => [],
  // The API server reads it itself (format `byte`).
  base64: () => [],
  url: (_, must) => [must(`isURL(self) && self.matches('^https?://')`, 'is not a URL')],
  milliseconds: (shape, must) => [
    must(IS_DURATION, 'is not a duration'),
    ...range(TOTAL, shape, must, (value) => `duration('${value}ms')`, `(${IS_DURATION})`),
  ],
  share: (shape, must) => [
    must(`!${IS_PLAIN}`, 'needs a %'),
    must(`${IS_PLAIN} || ${IS_SHARE}`, 'is not a share'),
    ...range(PERCENT, inPercent(shape), must, decimal, IS_SHARE),
  ],
  bytes: (shape, must) => [
    must(`string(self).matches(${text(SIZE)})`, 'is not a size'),
    must(whereQuantity('quantity(string(self)).isInteger()'), 'is not a whole number of bytes'),
    ...quantityRange(shape, must, ''),
  ],
  millicores: (shape, must) => [
    must(`string(self).matches(${text(CPU)})`, 'is not a CPU share'),
    must(`!string(self).matches(${text(FINER)})`, 'is finer than a thousandth of a core'),
    ...quantityRange(shape, must, 'm'),
  ],
};

/** Units from large to small, each at most once. Days are ours: Go's durations, which CEL reads, have none. */
const DURATION =
  '^(0|([0-9]+(\\.[0-9]+)?d)?([0-9]+(\\.[0-9]+)?h)?([0-9]+(\\.[0-9]+)?m)?([0-9]+(\\.[0-9]+)?s)?([0-9]+ms)?)$';
const IS_DURATION = `size(self) > 0 && self.matches(${text(DURATION)})`;
/** Days to the second; without strings of unknown length, which the API server takes for expensive. */
const DAYS = `(timestamp(int(86400.0 * double(self.substring(0, self.indexOf('d'))))) - timestamp(0))`;
const LESS_THAN_DAYS = `(self.endsWith('d') ? duration('0s') : duration(self.substring(self.indexOf('d') + 1)))`;
const TOTAL = `(self.contains('d') ? ${DAYS} + ${LESS_THAN_DAYS} : duration(self))`;
const IS_PLAIN = `self.matches('^[0-9]+([.][0-9]+)?$')`;
const IS_SHARE = `self.matches('^[0-9]{1,3}([.][0-9]{1,6})?%$')`;
const PERCENT = `double(self.replace('%', ''))`;
const SIZE = '^[0-9]+(\\.[0-9]+)?([kMGT]|[KMGT]i)?$';
const CPU = '^([0-9]+m|[0-9]+(\\.[0-9]+)?)$';
const FINER = '^[0-9]+\\.[0-9]{3}[0-9]*[1-9][0-9]*$';

function range(
  value: string,
  { minimum, maximum }: Shape,
  must: Must,
  show: (bound: number) => string,
  where?: string,
): Rule[] {
  const guard = (rule: string) => (where === undefined ? rule : `!${where} || ${rule}`);
  const rules: Rule[] = [];
  if (minimum !== undefined) rules.push(must(guard(`${value} >= ${show(minimum)}`), 'is too small'));
  if (maximum !== undefined) rules.push(must(guard(`${value} <= ${show(maximum)}`), 'is too large'));
  return rules;
}

function quantityRange({ minimum, maximum }: Shape, must: Must, suffix: string): Rule[] {
  const compare = (bound: number | undefined, how: string) =>
    whereQuantity(`quantity(string(self)).compareTo(quantity('${bound}${suffix}')) ${how} 0`);
  return [must(compare(minimum, '>='), 'is too small'), must(compare(maximum, '<='), 'is too large')];
}

/** A rule that leaves values to the rule before it which do not even look right. */
function whereQuantity(rule: string): string {
  return `!isQuantity(string(self)) || ${rule}`;
}

function matches(pattern: string): string {
  return `self.matches(${text(pattern)})`;
}

function inPercent({ unit, minimum = 0, maximum = 1 }: Shape): Shape {
  return { unit, minimum: minimum * 100, maximum: maximum * 100 };
}

/** CEL tells `1` from `1.0`. */
function decimal(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** Strings are written alike in JSON and CEL. */
function text(value: string): string {
  return JSON.stringify(value);
}
