import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { statOf } from '../../config/files.ts';
import type { CodeSource } from '../../model/code-source.ts';
import type { DeclaredFunction, Resolved } from '../../config/resolve.ts';

/** What builds leave behind, and what others installed. */
const NOT_SOURCES = new Set(['node_modules', 'target', 'dist', 'build']);
/** Of a folder that is larger, the first ones are watched. */
const MOST_FILES = 2000;

/** Files that functions may be built from: everything beside the source that is not hidden and not made. */
export function sourceFiles({ functions, file }: Pick<Resolved, 'functions' | 'file'>): string[] {
  return [...new Set(functions.flatMap(filesOf))].filter((name) => name !== file);
}

function filesOf({ source, canary }: DeclaredFunction): string[] {
  return [...filesFrom(source), ...(canary === null ? [] : filesFrom(canary.source))];
}

function filesFrom(source: CodeSource): string[] {
  if (source.type !== 'path') return [];
  const { path, build } = source;
  if (build === null && path.endsWith('.wasm')) return [path];
  const folder = statOf(path)?.isDirectory() === true ? path : dirname(path);
  const output = build === null ? null : join(folder, build.output);
  return globSync(build === null ? '**/*.ts' : '**/*', { cwd: folder, exclude: isMade, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => file !== output)
    .slice(0, MOST_FILES);
}

function isMade({ name }: { readonly name: string }): boolean {
  return name.startsWith('.') || NOT_SOURCES.has(name);
}
