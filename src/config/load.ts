/** mayfly.yaml → settings. Reads files; what it reads of the environment is what it is given. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { isCollection, isMap, isScalar, type Scalar } from 'yaml';
import { checkSettings } from './checks.ts';
import { locate, nodeAt, readDocument, toValue, type ConfigDocument, type KeyPath } from './document.ts';
import { explain, explainFinding, type Origin } from './explain.ts';
import { credentialsFolder, readCredentials } from './credentials.ts';
import { checkFiles, directoryOf, findConfigFile } from './files.ts';
import { ConfigError, type ConfigIssue } from './issues.ts';
import { schema, type Settings } from './schema.ts';
import { substitute, type Environment } from './substitute.ts';

export interface Config {
  /** The file as it was found; the folder that relative paths count from. */
  readonly file: string;
  readonly directory: string;
  /** SHA-256 of the file's bytes, hexadecimal: which configuration it is. Empty where there is no file. */
  readonly hash: string;
  readonly settings: Settings;
  /** Folder with variables that may change; null: there is none. */
  readonly credentials: string | null;
}

export type CheckedConfig =
  | { readonly config: Config; readonly issues: readonly [] }
  | { readonly config: null; readonly issues: readonly ConfigIssue[] };

/** Throws ConfigError with everything that is wrong. `path`: the file, or the folder with mayfly.yaml in it. */
export function loadConfig(path: string, env: Environment): Config {
  const file = findConfigFile(path);
  const { config, issues } = checkConfig(path, env);
  if (config === null) throw new ConfigError(file, issues);
  return config;
}

export function checkConfig(path: string, env: Environment): CheckedConfig {
  const file = findConfigFile(path);
  const directory = directoryOf(file);
  let text: string;
  let environment: Environment;
  let secrets: Environment;
  const credentials = credentialsFolder(env);
  try {
    text = readFileSync(file, 'utf8');
    environment = { ...readDotEnv(directory), ...env };
  } catch (error) {
    return { config: null, issues: [unreadableFile(file, error as NodeJS.ErrnoException)] };
  }
  try {
    secrets = readCredentials(credentials);
  } catch (error) {
    const message = `needs the folder that CREDENTIALS_DIRECTORY names, which cannot be read: ${(error as Error).message}`;
    return { config: null, issues: [{ ...nowhere, file, message }] };
  }
  return checkText({ file, directory, text, env: environment, secrets, credentials });
}

export interface ConfigText {
  readonly file: string;
  readonly directory: string;
  readonly text: string;
  readonly env: Environment;
  /** More variables, which override no keys. */
  readonly secrets?: Environment;
  readonly credentials?: string | null;
}

/** All steps from text to settings; an earlier kind of problem that would only cause later ones ends it. */
export function checkText(from: ConfigText): CheckedConfig {
  const { file, directory, text, env, secrets = {}, credentials = null } = from;
  const { document, issues: syntax } = readDocument(file, text);
  if (syntax.length > 0) return { config: null, issues: syntax };
  const { substituted, issues: variables } = substitute(document, { ...secrets, ...env });
  let value: unknown;
  try {
    value = toValue(document);
  } catch (error) {
    const message = `is not valid YAML: ${(error as Error).message}`;
    return { config: null, issues: [{ ...nowhere, file, message }] };
  }
  const written = withoutEmptySections(value);
  const overrides = applyOverrides(written, env);
  const origin = originOf(document, substituted, overrides, env);
  const parsed = schema.safeParse(written);
  const known = new Set(variables.map(({ key }) => key));
  if (!parsed.success) {
    const schemaIssues = explain(parsed.error.issues, origin).filter(({ key }) => !known.has(key));
    return { config: null, issues: inOrder([...variables, ...schemaIssues]) };
  }
  const findings = [...checkSettings(parsed.data), ...checkFiles(parsed.data, directory)];
  const issues = [...variables, ...findings.map((finding) => explainFinding(finding, origin))];
  if (issues.length > 0) return { config: null, issues: inOrder(issues) };
  const hash = createHash('sha256').update(text).digest('hex');
  return { config: { file, directory, hash, settings: parsed.data, credentials }, issues: [] };
}

const nowhere = { line: null, column: null, key: '', found: null, allowed: null, suggestion: null };

function unreadableFile(file: string, error: NodeJS.ErrnoException): ConfigIssue {
  const reasons: Record<string, string> = {
    ENOENT: 'does not exist (`mayfly init` makes one)',
    EACCES: 'cannot be read: permission denied',
    EISDIR: 'is a folder',
  };
  return { ...nowhere, file, message: reasons[error.code ?? ''] ?? `cannot be read: ${error.message}` };
}

/** Variables of a `.env` file beside the configuration (https://12factor.net/config); the real environment wins. */
function readDotEnv(directory: string): Environment {
  try {
    return parseEnv(readFileSync(join(directory, '.env'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/** A section whose keys are all commented out is null in YAML, and means its defaults. */
function withoutEmptySections(value: unknown): Record<string, unknown> {
  const entries = Object.entries((value ?? {}) as Record<string, unknown>);
  return Object.fromEntries(entries.filter(([, section]) => section !== null));
}

/** Variables that override a key, as platforms and people set them. */
const OVERRIDES = {
  PORT: ['server', 'port'],
  MAYFLY_HOST: ['server', 'host'],
  LOG_LEVEL: ['logging', 'level'],
} as const;

/** Key → variable, for those that are set. */
function applyOverrides(value: Record<string, unknown>, env: Environment): ReadonlyMap<string, string> {
  const applied = new Map<string, string>();
  for (const [variable, [section, key]] of Object.entries(OVERRIDES)) {
    const text = env[variable];
    if (text === undefined || text === '') continue;
    const current = value[section] ?? {};
    if (typeof current !== 'object' || Array.isArray(current)) continue;
    value[section] = { ...current, [key]: text };
    applied.set(`${section}.${key}`, variable);
  }
  return applied;
}

function originOf(
  document: ConfigDocument,
  substituted: ReadonlyMap<Scalar, string>,
  overrides: ReadonlyMap<string, string>,
  env: Environment,
): Origin {
  return {
    place(path, part) {
      if (overrides.has(path.join('.'))) return { file: 'environment' };
      return { file: document.file, ...locate(document, path, part) };
    },
    written(path) {
      const variable = overrides.get(path.join('.'));
      return variable === undefined
        ? writtenIn(document, substituted, path)
        : `${variable}=${JSON.stringify(env[variable])}`;
    },
  };
}

const LONGEST_SHOWN = 60;

function writtenIn(
  document: ConfigDocument,
  substituted: ReadonlyMap<Scalar, string>,
  path: KeyPath,
): string | null {
  const node = nodeAt(document, path);
  if (node === undefined) return null;
  if (isCollection(node)) return isMap(node) ? 'a mapping' : 'a list';
  if (!isScalar(node)) return null;
  const source = substituted.get(node);
  if (source === undefined && typeof node.value !== 'string')
    return node.value === null ? 'nothing' : String(node.source ?? node.value);
  const shown = source ?? (node.value as string);
  return JSON.stringify(shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN)}…` : shown);
}

function inOrder(issues: readonly ConfigIssue[]): ConfigIssue[] {
  return issues.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
