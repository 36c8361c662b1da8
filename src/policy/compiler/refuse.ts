import { MayflyError } from '../../model/errors.ts';
import { nearest } from '../../model/nearest.ts';
import { hostBuiltins } from '../builtins/host.ts';
import type { CompilerAnswer, CompilerProblem, SourceLocation } from './protocol.ts';

/** Errors beyond the first that a message shows. */
const MORE_ERRORS = 4;

/** Throws the MayflyError that tells why this answer is no policy. The worst comes first. */
export function refuseBroken(answer: CompilerAnswer, entrypoints: readonly string[], data: unknown): void {
  refuseUnknownRules(answer, entrypoints);
  refuseErrors(answer.errors);
  refuseConflictingData(answer, data);
  refuseUnsupportedBuiltins(answer);
}

function refuseErrors(errors: readonly CompilerProblem[]): void {
  const [first, ...rest] = errors;
  if (first === undefined) return;
  const shown = rest
    .slice(0, MORE_ERRORS)
    .map((error) => `Also ${place(error.location) ?? ''}: ${oneLine(error)}.`);
  if (rest.length > MORE_ERRORS) shown.push(`And ${rest.length - MORE_ERRORS} more.`);
  throw new MayflyError(`The policy does not compile: ${oneLine(first)}`, {
    where: place(first.location),
    fix: shown.length > 0 ? shown.join(' ') : undefined,
    code: 'policy-broken',
    exitCode: 2,
  });
}

/** Some of OPA's messages have several lines. */
function oneLine({ message }: CompilerProblem): string {
  return message.trim().replaceAll(/\s*\n\s*/g, ', ');
}

/** An entrypoint is a rule, or a package that has rules. */
function refuseUnknownRules(answer: CompilerAnswer, entrypoints: readonly string[]): void {
  if (answer.rules.length === 0) return;
  const paths = answer.rules.map((rule) => rule.path);
  const unknown = entrypoints.find(
    (name) => !paths.some((path) => path === name || path.startsWith(`${name}/`)),
  );
  if (unknown === undefined) return;
  const guess = nearest(unknown, paths);
  throw new MayflyError(`The policy has no rule ${ruleName(unknown)}`, {
    fix:
      guess === null
        ? `It has ${paths.slice(0, 10).map(ruleName).join(', ')}.`
        : `Did you mean ${ruleName(guess)}?`,
    code: 'policy-rule-unknown',
    exitCode: 2,
  });
}

/** Rego gives a rule precedence over data of the same name; OPA refuses such a pair, and so do we. */
function refuseConflictingData(answer: CompilerAnswer, data: unknown): void {
  for (const rule of answer.rules) {
    let there = data;
    for (const name of rule.path.split('/')) {
      const inside = typeof there === 'object' && there !== null && Object.hasOwn(there, name);
      there = inside ? (there as Record<string, unknown>)[name] : undefined;
    }
    if (there === undefined) continue;
    throw new MayflyError(`Both a rule and the data define ${ruleName(rule.path)}`, {
      where: place(rule.location),
      fix: 'Rename one of them.',
      code: 'policy-data-conflict',
      exitCode: 2,
    });
  }
}

function refuseUnsupportedBuiltins(answer: CompilerAnswer): void {
  const missing = answer.hostBuiltins?.find((name) => !hostBuiltins.has(name));
  if (missing === undefined) return;
  throw new MayflyError(`The policy calls ${missing}, which OPA's WebAssembly target does not have`, {
    where: place(answer.builtins[missing] ?? null),
    fix: 'Pass the value in through the input or the data, or ask a running OPA (policy.opa_url).',
    code: 'policy-builtin-unsupported',
    exitCode: 2,
  });
}

/** `shop/allow` → `data.shop.allow` */
export function ruleName(entrypoint: string): string {
  return `data.${entrypoint.replaceAll('/', '.')}`;
}

/** `data.shop.allow` → `shop/allow` */
export function entrypointOf(rule: string): string {
  return rule.replace(/^data\./, '').replaceAll('.', '/');
}

function place(at: SourceLocation | null): string | undefined {
  return at === null ? undefined : `${at.file}:${at.row}:${at.column}`;
}
