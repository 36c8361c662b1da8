/** May a function have these routes? What is in the way of a deploy, before anything is touched. */
import { MayflyError } from '../model/errors.ts';
import type { RouteSpec } from '../model/route.ts';
import { provideRules, routesUnder, type Blueprint } from './blueprint.ts';
import { asksMissingRule, conflict } from './desired.ts';
import type { FunctionRecord } from './records.ts';

/** `others`: all functions but `name`. */
export function refuseTakenRoutes(
  plan: Blueprint,
  name: string,
  routes: readonly RouteSpec[],
  others: readonly FunctionRecord[],
): void {
  const taken = others.flatMap((record) => routesOf(plan, record));
  for (const route of routes) {
    const rival = conflict(route, taken);
    if (rival === null) continue;
    throw new MayflyError(`Cannot route ${route.path} to ${JSON.stringify(name)}: ${rival.function} has it`, {
      fix: `Choose another path or method, or remove ${rival.function}.`,
      exitCode: 2,
      code: 'route-taken',
    });
  }
}

/** A function whose settings do not fit the file any more has no routes that could be in the way. */
export function routesOf(plan: Blueprint, record: FunctionRecord): readonly RouteSpec[] {
  try {
    return routesUnder(plan, record);
  } catch (error) {
    if (error instanceof MayflyError) return [];
    throw error;
  }
}

/** With the rules that functions of the admin API ask. One that is gone from the new policy is a warning, not an end (`desired`). */
export async function withOwnRules(
  plan: Blueprint,
  functions: readonly FunctionRecord[],
): Promise<Blueprint> {
  let provided = plan;
  for (const record of functions) {
    try {
      provided = await provideRules(provided, routesOf(provided, record));
    } catch (error) {
      if (!(error instanceof MayflyError)) throw error;
    }
  }
  return provided;
}

export function refuseMissingRules(plan: Blueprint, name: string, routes: readonly RouteSpec[]): void {
  const missing = routes.find((route) => asksMissingRule(route, plan.foundation.policies))?.policy;
  if (missing == null) return;
  const rule = `data.${missing.entrypoint.replaceAll('/', '.')}`;
  throw new MayflyError(`Cannot route to ${JSON.stringify(name)}: the policy has no rule ${rule}`, {
    fix: 'Name a rule of the files in `policy.files`, or `policy: false`.',
    exitCode: 2,
    code: 'no-such-rule',
  });
}
