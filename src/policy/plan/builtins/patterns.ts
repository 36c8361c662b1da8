import { fallback } from '../fallback.ts';
import { PlanRefusal } from '../program.ts';
import { Automaton } from '../regex/automaton.ts';
import { globPattern } from '../regex/glob.ts';
import { parsePattern, type Pattern } from '../regex/syntax.ts';

/** regex.match, regex.is_valid and glob.match. What the parsers do not take is left to WebAssembly. */

/** Patterns of clients must not use up memory: the oldest is forgotten. */
const maxKept = 200;

class Cache {
  readonly #automata = new Map<string, Automaton | null>();
  readonly #parse: (text: string) => Pattern | null;

  constructor(parse: (text: string) => Pattern | null) {
    this.#parse = parse;
  }

  get(text: string): Automaton {
    let automaton = this.#automata.get(text);
    if (automaton === undefined) {
      const pattern = this.#parse(text);
      automaton = pattern && Automaton.of(pattern);
      if (this.#automata.size >= maxKept) this.#automata.delete(this.#automata.keys().next().value as string);
      this.#automata.set(text, automaton);
    }
    return automaton ?? fallback();
  }
}

const expressions = new Cache(parsePattern);
/** By delimiters. */
const globs = new Map<string, Cache>();

function matches(pattern: unknown, text: unknown): boolean | undefined {
  return typeof pattern === 'string' && typeof text === 'string'
    ? expressions.get(pattern).test(text)
    : undefined;
}

function globMatches(pattern: unknown, delimiters: unknown, text: unknown): boolean | undefined {
  if (typeof pattern !== 'string' || typeof text !== 'string') return undefined;
  if (delimiters !== null && !Array.isArray(delimiters)) return undefined;
  // OPA's WebAssembly form does not let `**` match a line break; delimiters of more than a letter are an error to OPA.
  if (text.includes('\n') || delimiters?.some((delimiter) => !isLetter(delimiter)) === true) fallback();
  const separators = delimiters === null ? '' : delimiters.join('') || '.';
  let cache = globs.get(separators);
  if (cache === undefined) {
    if (globs.size >= maxKept) globs.clear();
    globs.set(separators, (cache = new Cache((glob) => globPattern(glob, separators))));
  }
  return cache.get(pattern).test(text);
}

const isLetter = (value: unknown): boolean => typeof value === 'string' && Array.from(value).length === 1;

/** Refuses a plan whose every decision would need the other form for a pattern that is written in the policy. */
export function requireExact(builtin: string, text: string): void {
  const parse = { 'regex.match': parsePattern, re_match: parsePattern, 'glob.match': anyGlob }[builtin];
  if (parse === undefined) return;
  const pattern = parse(text);
  if (pattern === null || Automaton.of(pattern) === null) {
    throw new PlanRefusal(`the pattern ${JSON.stringify(text.slice(0, 80))}`);
  }
}

const anyGlob = (text: string): Pattern | null => globPattern(text, '');

export const patterns = {
  'regex.match': matches,
  re_match: matches,
  'regex.is_valid': (pattern: unknown) =>
    typeof pattern === 'string' && (parsePattern(pattern) === null ? fallback() : true),
  'glob.match': globMatches,
};
