/** CustomResourceDefinitions, from the same schemas that the operator reads objects with. */
import { z } from 'zod';
import type { SchemaNode } from '../../config/tree.ts';
import type { CrossRule } from './cross-rule.ts';
import { GROUP, VERSION } from './names.ts';
import { type Rule, valueRules } from './rules.ts';
import { structural } from './structural.ts';

export interface ResourceKind<Spec> {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  /** What its objects may be called, where that is less than Kubernetes allows. */
  readonly name: z.ZodString;
  readonly spec: z.ZodType<Spec>;
  readonly rules: readonly CrossRule<Spec>[];
  readonly status: z.ZodType;
  /** Paths for `kubectl scale` and autoscalers; absent where there is nothing to scale. */
  readonly scale?: {
    readonly specReplicasPath: string;
    readonly statusReplicasPath: string;
    readonly labelSelectorPath: string;
  };
  readonly columns: readonly Column[];
}

export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  /** 1: only with `-o wide`. */
  readonly priority?: number;
}

/** A kind as far as the API server is told of it. */
export interface KindSchema extends Omit<ResourceKind<unknown>, 'rules'> {
  readonly rules: readonly Omit<CrossRule<never>, 'holds'>[];
}

/** The spec's schema with our own words in it. */
export function specTree({ spec }: Pick<KindSchema, 'spec'>): SchemaNode {
  return z.toJSONSchema(spec, { io: 'input' }) as SchemaNode;
}

/**
 * One version today. Another one is another entry of `versions`: served beside this one, and stored once
 * `spec.conversion` names a webhook that knows both.
 */
export function customResourceDefinition(kind: KindSchema): object {
  const { plural, shortNames, description, rules, scale, columns } = kind;
  const spec = structural(
    specTree(kind),
    rules.map(({ cel, message, path }) => ({
      rule: cel,
      message,
      fieldPath: `.${path.join('.')}`,
    })),
  );
  const status = structural(z.toJSONSchema(kind.status, { io: 'input' }) as SchemaNode);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}`, labels: { 'app.kubernetes.io/part-of': 'mayfly' } },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural,
        singular: kind.kind.toLowerCase(),
        shortNames,
        categories: ['mayfly'],
      },
      conversion: { strategy: 'None' },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {}, ...(scale === undefined ? {} : { scale }) },
          additionalPrinterColumns: [
            ...columns,
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          schema: {
            openAPIV3Schema: {
              description,
              type: 'object',
              required: ['spec'],
              'x-kubernetes-validations': nameRule(kind),
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec,
                status,
              },
            },
          },
        },
      ],
    },
  };
}

function nameRule({ name }: Pick<KindSchema, 'name'>): Rule[] {
  const [{ rule, message }] = valueRules(z.toJSONSchema(name) as SchemaNode) as [Rule];
  return [{ rule: rule.replace('self', 'self.metadata.name'), message: `metadata.name ${message}` }];
}
