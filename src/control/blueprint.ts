/** The configuration file as the control plane needs it. */
import type { CodeSource, ImageTrust } from '../model/code-source.ts';
import type { RolloutPlan } from '../rollout/plan.ts';
import type { RouteSpec } from '../model/route.ts';
import type { PolicySpec } from '../model/snapshot.ts';
import { asksMissingRule, type Foundation } from './desired.ts';
import type { Configuration, FunctionRecord } from './records.ts';

/** What a function's settings come to under the defaults of the file. */
export interface Settled {
  readonly routes: readonly RouteSpec[];
  readonly configuration: Configuration;
  /** null: new code gets all requests at once. */
  readonly rollout: RolloutPlan | null;
}

export interface BlueprintFunction extends Settled {
  readonly name: string;
  readonly source: CodeSource;
  /** A second revision with a fixed share of the requests. */
  readonly canary?: BlueprintCanary | null;
}

export interface BlueprintCanary {
  readonly source: CodeSource;
  readonly weight: number;
  readonly maxP99Ms: number | null;
}

export interface Blueprint {
  readonly foundation: Foundation;
  readonly functions: readonly BlueprintFunction[];
  readonly trust: ImageTrust;
  /** Settles what the admin API was given for a function (null: nothing) with the defaults of the file. Throws MayflyError. */
  settle(name: string, settings: unknown): Settled;
  /**
   * The policies, compiled so that these entrypoints can be asked: a function of the admin API may ask rules that no
   * function of the file asks. Throws MayflyError when there is no such rule. Without it only the file's rules can be asked.
   */
  withRules?(entrypoints: readonly string[]): Promise<readonly PolicySpec[]>;
}

/** Routes of a function as this blueprint has them. Throws MayflyError when its settings do not fit the file any more. */
export function routesUnder(blueprint: Blueprint, record: FunctionRecord): readonly RouteSpec[] {
  return settledUnder(blueprint, record)?.routes ?? [];
}

/** Which requests of a function are slow: what its rollout goes by, or else what the file says. Throws like `routesUnder`. */
export function slowMsUnder(blueprint: Blueprint, record: FunctionRecord): number | null {
  const declared = blueprint.functions.find(({ name }) => name === record.name);
  if (record.owner === 'file' && declared?.canary != null) return declared.canary.maxP99Ms;
  return settledUnder(blueprint, record)?.rollout?.maxP99Ms ?? null;
}

function settledUnder(blueprint: Blueprint, record: FunctionRecord): Settled | undefined {
  if (record.owner === 'api') return blueprint.settle(record.name, record.settings);
  return blueprint.functions.find(({ name }) => name === record.name);
}

/** The same blueprint with the rules that these routes ask, compiled if they are not yet. Throws MayflyError. */
export async function provideRules(blueprint: Blueprint, routes: readonly RouteSpec[]): Promise<Blueprint> {
  const { foundation } = blueprint;
  const missing = routes.filter((route) => asksMissingRule(route, foundation.policies));
  if (missing.length === 0 || blueprint.withRules === undefined) return blueprint;
  const known = foundation.policies.flatMap(({ entrypoints }) => entrypoints);
  const wanted = missing.flatMap(({ policy }) => policy?.entrypoint ?? []);
  const policies = await blueprint.withRules([...new Set([...known, ...wanted])]);
  return { ...blueprint, foundation: { ...foundation, policies } };
}
