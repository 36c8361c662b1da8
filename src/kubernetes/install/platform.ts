/** The objects that make a cluster one of ours: deploy/kubernetes, in the order in which they can be made. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { PACKAGE_ROOT } from '../../model/package-root.ts';
import type { KubeObject } from '../cluster/objects.ts';

const FOLDER = join(PACKAGE_ROOT, 'deploy', 'kubernetes');

/** Kinds that others need first; the rest follows as the files have it. */
const FIRST = ['Namespace', 'CustomResourceDefinition', 'ServiceAccount'];

export interface Wishes {
  /** Image of the operator and, where they name none, of gateways; null: the one that the manifests name. */
  readonly image: string | null;
  /** Number of operators, of which one acts; null: as in the manifests. */
  readonly operators: number | null;
}

export function platformObjects({ image, operators }: Wishes): KubeObject[] {
  const { resources } = parse(readFileSync(join(FOLDER, 'kustomization.yaml'), 'utf8')) as {
    resources: readonly string[];
  };
  const objects = resources.flatMap((file) =>
    parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8')).map(
      (document) => document.toJS() as KubeObject,
    ),
  );
  const rank = ({ kind }: KubeObject) => (FIRST.includes(kind) ? FIRST.indexOf(kind) : FIRST.length);
  return objects
    .map((object) => (isOperator(object) ? changed(object, { image, operators }) : object))
    .toSorted((a, b) => rank(a) - rank(b));
}

export function isOperator({ kind, metadata }: KubeObject): boolean {
  return kind === 'Deployment' && metadata.name === 'mayfly-operator';
}

interface Workload {
  readonly replicas: number;
  readonly template: { readonly spec: { readonly containers: readonly Container[] } };
}

interface Container {
  readonly image: string;
  readonly args: readonly string[];
}

const GATEWAY_IMAGE = '--gateway-image=';

function changed(object: KubeObject, { image, operators }: Wishes): KubeObject {
  const spec = object['spec'] as Workload;
  const { template } = spec;
  const containers = template.spec.containers.map((container) => withImage(container, image));
  return {
    ...object,
    spec: {
      ...spec,
      replicas: operators ?? spec.replicas,
      template: { ...template, spec: { ...template.spec, containers } },
    },
  };
}

/** Operator and gateways are one image. */
function withImage(container: Container, image: string | null): Container {
  if (image === null) return container;
  const args = container.args.map((arg) =>
    arg.startsWith(GATEWAY_IMAGE) ? `${GATEWAY_IMAGE}${image}` : arg,
  );
  return { ...container, image, args };
}
