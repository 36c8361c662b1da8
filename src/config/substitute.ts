import { isPair, isSeq, visit, type Scalar } from 'yaml';
import { formatPath, locate, type ConfigDocument, type KeyPath } from './document.ts';
import type { ConfigIssue } from './issues.ts';
import { nearest } from '../model/nearest.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Puts variables into the string values of the tree: `${NAME}`, `${NAME:-used when unset or empty}`; `$${` is a
 * literal `${`. What a variable holds is text and stays text: it can bring neither keys nor structure.
 * Answers the scalars that were changed, so that messages show the variable and never what it holds.
 */
export function substitute(
  document: ConfigDocument,
  env: Environment,
): { substituted: ReadonlyMap<Scalar, string>; issues: readonly ConfigIssue[] } {
  const substituted = new Map<Scalar, string>();
  const issues: ConfigIssue[] = [];
  visit(document.tree, {
    Scalar(key, node, ancestors) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('$')) return;
      const source = node.value;
      const { text, problems } = expand(source, env);
      if (text !== source) {
        node.value = text;
        substituted.set(node, source);
      }
      const path = pathOf(key, ancestors);
      for (const problem of problems) {
        const at = locate(document, path, 'value');
        issues.push({
          file: document.file,
          line: at?.line ?? null,
          column: at?.column ?? null,
          key: formatPath(path),
          ...problem,
        });
      }
    },
  });
  return { substituted, issues };
}

type Problem = Pick<ConfigIssue, 'message' | 'found' | 'allowed' | 'suggestion'>;

export function expand(source: string, env: Environment): { text: string; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const text = source.replaceAll(/\$\$\{|\$\{([^}]*)\}?/g, (match, inner: string | undefined) => {
    if (inner === undefined) return '${';
    const parts = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner);
    if (parts === null || !match.endsWith('}')) {
      problems.push({
        message: 'has a broken variable',
        found: match,
        allowed: '${NAME}, ${NAME:-default}, or $${ for a literal ${',
        suggestion: null,
      });
      return match;
    }
    const [, name, fallback] = parts as unknown as [string, string, string | undefined];
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value !== undefined) return value;
    const similar = nearest(name, Object.keys(env));
    problems.push({
      message: `needs the environment variable ${name}, which is not set`,
      found: match,
      allowed: `\${${name}} with ${name} set in the environment or in a .env file beside this one, or \${${name}:-default}`,
      suggestion: similar === null ? null : `\${${similar}}`,
    });
    return match;
  });
  return { text, problems };
}

/** The path of the scalar that `visit` is at: pairs give names, lists give indexes. */
function pathOf(key: number | 'key' | 'value' | null, ancestors: readonly unknown[]): KeyPath {
  const path: (string | number)[] = [];
  for (const [depth, ancestor] of ancestors.entries()) {
    if (isPair(ancestor)) path.push(String((ancestor.key as Scalar).value ?? ''));
    if (isSeq(ancestor)) {
      const child = ancestors[depth + 1];
      path.push(child === undefined ? (key as number) : ancestor.items.indexOf(child));
    }
  }
  return path;
}
