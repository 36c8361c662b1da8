/** mayfly.yaml as text: its tree, and where in the text each key and value stands. */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type Pair,
} from 'yaml';
import type { ConfigIssue } from './issues.ts';

export type KeyPath = readonly (string | number)[];

/** What a ConfigMap takes (1 MiB); what is larger than this is no configuration. */
export const MAX_BYTES = 1024 * 1024;
/** Deeper than any key there is, and far from where a recursive parser runs out of stack. */
const MAX_DEPTH = 32;
const MAX_ALIASES = 100;

export interface ConfigDocument {
  readonly file: string;
  readonly tree: Document;
  readonly lines: LineCounter;
}

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Parses; `issues` says all that is wrong with the text as YAML. */
export function readDocument(
  file: string,
  text: string,
): { document: ConfigDocument; issues: readonly ConfigIssue[] } {
  const lines = new LineCounter();
  const refused = refuseBeforeParsing(text);
  const source = refused === null ? text : '';
  const tree = parseDocument(source, { lineCounter: lines, uniqueKeys: true, logLevel: 'silent' });
  const document = { file, tree, lines };
  const issues: ConfigIssue[] = [];
  const report = (offset: number | null, message: string) => {
    const at = offset === null ? null : positionOf(lines, offset);
    issues.push(fileIssue(file, at, message));
  };
  if (refused !== null) report(null, refused);
  for (const { pos, message } of [...tree.errors, ...tree.warnings]) {
    report(pos[0], `is not valid YAML: ${firstLine(message)}`);
  }
  if (issues.length === 0) checkShape(tree, report);
  return { document, issues };
}

function fileIssue(file: string, at: Position | null, message: string): ConfigIssue {
  const { line = null, column = null } = at ?? {};
  return { file, line, column, key: '', message, found: null, allowed: null, suggestion: null };
}

function firstLine(message: string): string {
  return (message.split('\n')[0] as string).replace(/ at line \d+, column \d+:?$/, '').replace(/[.:]$/, '');
}

/** The parser recurses once per level, so depth is bounded before it starts: by brackets, and by indentation. */
function refuseBeforeParsing(text: string): string | null {
  if (Buffer.byteLength(text) > MAX_BYTES) return `is larger than ${MAX_BYTES / 1024} KiB`;
  let open = 0;
  for (const line of text.split('\n')) {
    const indicators = /^[ \t]*(?:[-?:][ \t]+)*/.exec(line)?.[0] ?? '';
    const nested = indicators.replaceAll(/[ \t]/g, '').length;
    for (const character of line) {
      if (character === '[' || character === '{') open++;
      else if ((character === ']' || character === '}') && open > 0) open--;
    }
    if (open > MAX_DEPTH || nested > MAX_DEPTH || indicators.length > MAX_DEPTH * 8) {
      return `is nested deeper than ${MAX_DEPTH} levels`;
    }
  }
  return null;
}

function checkShape(tree: Document, report: (offset: number | null, message: string) => void): void {
  if (tree.contents !== null && !isMap(tree.contents)) {
    report(rangeOf(tree.contents), 'must be a mapping of sections such as server and functions');
  }
  let aliases = 0;
  visit(tree, {
    Alias: () => {
      aliases++;
    },
    Pair: (_, pair) => {
      if (!isScalar(pair.key)) report(rangeOf(pair.key), 'has a key that is not a plain word');
    },
  });
  if (aliases > MAX_ALIASES) report(null, `uses aliases more than ${MAX_ALIASES} times`);
}

/** The tree as plain values; throws when aliases multiply beyond reason or refer to what holds them. */
export function toValue({ tree }: ConfigDocument): unknown {
  return tree.toJS({ maxAliasCount: MAX_ALIASES });
}

/** Where the value at `path` stands, or the nearest thing around it that is written. */
export function locate(document: ConfigDocument, path: KeyPath, part: 'key' | 'value'): Position | null {
  let node: unknown = document.tree.contents;
  let offset = rangeOf(node);
  for (const [depth, step] of path.entries()) {
    const pair = pairAt(document, node, step);
    if (pair === null) break;
    const last = depth === path.length - 1;
    const value = rangeOf(pair.value);
    offset = (last && part === 'key') || value === null ? (rangeOf(pair.key) ?? value) : value;
    node = pair.value;
  }
  return offset === null ? null : positionOf(document.lines, offset);
}

/** The node at `path`, aliases followed; undefined where nothing is written. */
export function nodeAt(document: ConfigDocument, path: KeyPath): Node | undefined {
  let node: unknown = document.tree.contents;
  for (const step of path) node = pairAt(document, node, step)?.value;
  return resolveAlias(document, node) as Node | undefined;
}

function pairAt(
  document: ConfigDocument,
  parent: unknown,
  step: string | number,
): Pick<Pair, 'key' | 'value'> | null {
  const node = resolveAlias(document, parent);
  if (isMap(node)) {
    return node.items.find(({ key }) => isScalar(key) && String(key.value ?? '') === String(step)) ?? null;
  }
  if (isSeq(node) && typeof step === 'number' && step < node.items.length) {
    return { key: node.items[step], value: node.items[step] };
  }
  return null;
}

function resolveAlias(document: ConfigDocument, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document.tree) : node;
}

function rangeOf(node: unknown): number | null {
  return (node as Node | null | undefined)?.range?.[0] ?? null;
}

function positionOf(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** `functions.hello.routes[0].path` */
export function formatPath(path: KeyPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}
