/** The text of a `mayfly.yaml`: one line for each section and each function, so that a difference is easy to see. Pure. */
import type { FunctionPart, UsedPolicy } from './function-part.ts';
import type { Section } from './gateway-part.ts';

/** `parts` by name of the function. JSON is YAML (https://yaml.org/spec/1.2.2/ §1.3). */
export function configurationText(
  gateway: string,
  sections: Readonly<Record<string, Section>>,
  parts: ReadonlyMap<string, FunctionPart>,
): string {
  const { policy, ...others } = sections;
  const sorted = [...parts].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const lines = [
    `# Of MayflyGateway ${gateway}, by mayfly-operator; what is changed here is changed back.`,
    ...Object.entries(others).map(([name, section]) => `${name}: ${JSON.stringify(section)}`),
    `policy: ${JSON.stringify({ ...policy, ...policyFiles(usedPolicies(parts)) })}`,
    sorted.length === 0 ? 'functions: {}' : 'functions:',
    ...sorted.map(([name, { entry }]) => `  ${JSON.stringify(name)}: ${JSON.stringify(entry)}`),
  ];
  return `${lines.join('\n')}\n`;
}

export function usedPolicies(parts: ReadonlyMap<string, FunctionPart>): UsedPolicy[] {
  return [...parts.values()].flatMap(({ policies }) => policies);
}

/** Every route names its own rule; the one here only has to exist. */
function policyFiles(used: readonly UsedPolicy[]): object {
  if (used.length === 0) return {};
  const files = new Set(used.map(({ file }) => file));
  return { files: [...files].toSorted(), rule: used.map(({ rule }) => rule).toSorted()[0] };
}
