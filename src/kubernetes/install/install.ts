/** Brings objects into a cluster, in their order, and tells what became of each. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MayflyError } from '../../model/errors.ts';
import { ApiError, type Cluster } from '../cluster/cluster.ts';
import { hasCondition, type KubeObject } from '../cluster/objects.ts';
import { resourceOf } from '../cluster/resources.ts';

/** Who applied an object, to the API server (server-side apply). */
export const INSTALLER = 'mayfly-cli';

export type Outcome = 'created' | 'changed' | 'unchanged';

export interface Installed {
  readonly kind: string;
  readonly namespace: string | null;
  readonly name: string;
  readonly outcome: Outcome;
}

export interface InstallOptions {
  /** The server checks everything and changes nothing. */
  readonly dryRun: boolean;
  /** Take over fields that somebody else has set otherwise. */
  readonly force: boolean;
}

const DEFINED_WITHIN_MS = 30_000;

/** Yields after each object. Throws MayflyError at the first that is refused: what came before it stays. */
export async function* install(
  cluster: Cluster,
  objects: readonly KubeObject[],
  { dryRun, force }: InstallOptions,
): AsyncGenerator<Installed> {
  for (const object of objects) {
    const { kind, metadata } = object;
    const { name, namespace = null } = metadata;
    const before = await cluster.get(resourceOf(object), namespace ?? '', name);
    // In a namespace that a dry run has not made nothing can be tried.
    const tried = dryRun && before === null && namespace !== null;
    const after = tried ? object : await applied(cluster, object, { dryRun, force });
    yield { kind, namespace, name, outcome: outcomeOf(before, after) };
    if (kind === 'CustomResourceDefinition' && !dryRun) await established(cluster, object);
  }
}

async function applied(cluster: Cluster, object: KubeObject, how: InstallOptions): Promise<KubeObject> {
  try {
    return await cluster.apply(object, how);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new MayflyError('The cluster refused an object', {
      where: `${object.kind} ${object.metadata.name}`,
      fix:
        error.status === 409
          ? `${error.message} Take these fields over with --force, or leave them to whoever set them.`
          : error.message,
      code: 'refused',
      cause: error,
    });
  }
}

/** An apply that changes nothing leaves the version of an object as it was. A dry run too, so its content is compared. */
function outcomeOf(before: KubeObject | null, after: KubeObject): Outcome {
  if (before === null) return 'created';
  return contentOf(before) === contentOf(after) ? 'unchanged' : 'changed';
}

/** What a person would call the object: neither its versions nor who set what, nor its state. */
function contentOf({ metadata, ...rest }: KubeObject): string {
  const { managedFields: _owners, resourceVersion: _version, generation: _count, ...said } = metadata;
  return JSON.stringify({ ...rest, status: undefined, metadata: said });
}

/** A kind can be used a moment after its definition was taken. */
async function established(cluster: Cluster, definition: KubeObject): Promise<void> {
  const until = performance.now() + DEFINED_WITHIN_MS;
  while (performance.now() < until) {
    const found = await cluster.get(resourceOf(definition), '', definition.metadata.name);
    if (found !== null && hasCondition(found, 'Established')) return;
    await sleep(50);
  }
  throw new MayflyError('The cluster does not take a definition into use', {
    where: `CustomResourceDefinition ${definition.metadata.name}`,
    fix: 'Look at its conditions with kubectl describe.',
    code: 'refused',
  });
}
