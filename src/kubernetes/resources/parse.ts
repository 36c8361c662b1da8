/** An object of the API server → the words that the operator thinks in. */
import { explain, type Origin } from '../../config/explain.ts';
import type { ConfigIssue } from '../../config/issues.ts';
import type { KeyPath } from '../../config/document.ts';
import type { KubeObject } from '../cluster/objects.ts';
import { type ResourceKind, specTree } from './crd.ts';
import { sentence } from './rules.ts';

export type ParsedSpec<Spec> = { readonly spec: Spec } | { readonly problem: string };

/**
 * The API server refuses what the schema does not allow, but objects can be older than the schema, and a cluster can have
 * another one. The problem is a sentence such as `spec.cpuLimit is not a CPU share. Allowed: …`.
 */
export function parseSpec<Spec>(kind: ResourceKind<Spec>, object: KubeObject): ParsedSpec<Spec> {
  if (!kind.name.safeParse(object.metadata.name).success) {
    return { problem: `metadata.name is not one that a ${kind.kind} may have.` };
  }
  const parsed = kind.spec.safeParse(object['spec'] ?? {});
  if (!parsed.success) {
    const [issue] = explain(parsed.error.issues, originOf(object), specTree(kind));
    return { problem: describe(issue as ConfigIssue) };
  }
  const broken = kind.rules.find((rule) => !rule.holds(parsed.data));
  if (broken === undefined) return { spec: parsed.data };
  return { problem: `spec.${broken.path.join('.')} ${broken.message}` };
}

function describe({ key, message, allowed }: ConfigIssue): string {
  return `spec${key === '' ? '' : `.${key}`} ${sentence(message, allowed ?? undefined)}`;
}

function originOf(object: KubeObject): Origin {
  return {
    place: () => ({ file: object.metadata.name }),
    written: (path) => {
      const value = valueAt(object['spec'], path);
      return value === undefined ? null : JSON.stringify(value);
    },
  };
}

function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (inner, step) => (inner as Record<string | number, unknown> | undefined)?.[step],
    value,
  );
}
