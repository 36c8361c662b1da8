/** What `mayfly check` would say of one function of a gateway: one that cannot be served must not keep the others from it. */
import { checkSettings } from '../../config/checks.ts';
import { functionEntry } from '../../config/sections/functions.ts';
import { schema } from '../../config/schema.ts';
import { formatPath } from '../../config/document.ts';
import type { FunctionPart, Obstacle } from './function-part.ts';
import type { Section } from './gateway-part.ts';

export type EntryCheck = (name: string, part: FunctionPart) => Obstacle | null;

export function entryChecker(sections: Readonly<Record<string, Section>>): EntryCheck {
  const base = schema.parse(sections);
  return (name, { entry, policies }) => {
    const parsed = functionEntry.safeParse(entry);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return invalid(`${formatPath(issue?.path as string[])} ${issue?.message}.`);
    }
    const policy = { ...base.policy, files: policies.map(({ file }) => file) };
    const [finding] = checkSettings({ ...base, policy, functions: { [name]: parsed.data } });
    if (finding === undefined) return null;
    const allowed = finding.allowed == null ? '' : ` Allowed: ${finding.allowed}.`;
    return invalid(`${formatPath(finding.path.slice(2))} ${finding.message}.${allowed}`);
  };
}

function invalid(message: string): Obstacle {
  return { reason: 'InvalidSpec', message: `spec.${message}` };
}
