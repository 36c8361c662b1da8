/** From what Zod reports to what a person can act on: place, what was found, what is allowed, the nearest known word. */
import type { z } from 'zod';
import { formatPath, type KeyPath, type Position } from './document.ts';
import type { ConfigIssue } from './issues.ts';
import { nearest } from '../model/nearest.ts';
import { allowedAt, container, describedAt, schemaTree, type SchemaNode } from './tree.ts';

/** Where the values came from: a file, or a request to the admin API, which has no lines. */
export interface Origin {
  place(path: KeyPath, part: 'key' | 'value'): { readonly file: string } & Partial<Position>;
  /** How the value at `path` is written there; null where nothing is. */
  written(path: KeyPath): string | null;
}

/** A finding of our own (checks.ts) in the same words. */
export interface Finding {
  readonly path: KeyPath;
  readonly message: string;
  readonly allowed?: string | null;
  readonly suggestion?: string | null;
  readonly part?: 'key' | 'value';
}

export function explainFinding(finding: Finding, origin: Origin, root: SchemaNode = schemaTree): ConfigIssue {
  const { path, message, part = 'value', allowed = null, suggestion = null } = finding;
  const { file, line = null, column = null } = origin.place(path, part);
  const secret = describedAt(path, root)?.secret === true;
  const found = part === 'key' || secret ? null : origin.written(path);
  return { file, line, column, key: formatPath(path), message, found, allowed, suggestion };
}

export function explain(
  issues: readonly z.core.$ZodIssue[],
  origin: Origin,
  root: SchemaNode = schemaTree,
): ConfigIssue[] {
  return issues.flatMap((issue) =>
    findings(issue, origin, root).map((finding) => explainFinding(finding, origin, root)),
  );
}

function findings(issue: z.core.$ZodIssue, origin: Origin, root: SchemaNode): Finding[] {
  const path = issue.path as KeyPath;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...path, key], describedAt(path, root)));
  }
  if (issue.code === 'invalid_key') {
    const allowed = describedAt(path.slice(0, -1), root)?.propertyNames?.kind ?? null;
    return [{ path, part: 'key', message: 'is not a valid name', allowed }];
  }
  const node = describedAt(path, root);
  const allowed = allowedAt(node);
  const written = origin.written(path);
  if (written === null && issue.code !== 'custom') return [{ path, message: 'is missing', allowed }];
  if (issue.code === 'invalid_value') {
    const suggestion = nearest(/"(.*)"/.exec(written ?? '')?.[1] ?? '', node?.enum ?? []);
    return [{ path, message: 'has a value that is not known', allowed, suggestion }];
  }
  return [{ path, message: messageOf(issue), allowed }];
}

function messageOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'custom':
    case 'invalid_format':
      return issue.message;
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array' ? 'is empty' : 'is too small';
    case 'too_big':
      return 'is too large';
    default:
      return 'has the wrong type';
  }
}

function unknownKey(path: KeyPath, parent: SchemaNode | undefined): Finding {
  const key = path.at(-1) as string;
  const known = Object.keys(parent === undefined ? {} : (container(parent).properties ?? {}));
  return {
    path,
    part: 'key',
    message: 'is not a known key',
    suggestion: nearest(key, known) ?? elsewhere(key),
    allowed: known.length === 0 ? null : known.join(', '),
  };
}

/** The section that has the key, for a key that was written in the wrong one. */
function elsewhere(key: string): string | null {
  const sections = Object.entries(schemaTree.properties ?? {});
  const found = sections.find(([, section]) => Object.hasOwn(section.properties ?? {}, key));
  return found === undefined ? null : `${found[0]}.${key}`;
}
