/** A Kubernetes API over HTTP. JSON goes through as it is: no model in between that could drop a field. */
import { Agent, type Dispatcher, request } from 'undici';
import { retryAfterMs } from '../../model/retry-after.ts';
import { FIELD_MANAGER } from '../resources/names.ts';
import {
  ApiError,
  type Cluster,
  isApiError,
  type Listing,
  type Selection,
  type WatchEvent,
} from './cluster.ts';
import type { Access } from './access.ts';
import { readLines } from './lines.ts';
import type { KubeObject, Resource } from './objects.ts';
import { resourceOf } from './resources.ts';

const APPLY = 'application/apply-patch+yaml';
/** RFC 7386 */
const MERGE = 'application/merge-patch+json';
const TIMEOUT_MS = 30_000;
/** The server ends a watch after this; a bookmark comes about every minute, so silence of two means that nobody is there. */
const WATCH_SECONDS = 290;
const SILENCE_MS = 130_000;
/** Longer than this nobody is kept waiting by a server's word. */
const LONGEST_PAUSE_MS = 3_600_000;
/** A page of a list. */
const PAGE = 500;

interface Call {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  readonly bodyTimeout?: number;
}

export class ClusterClient implements Cluster, AsyncDisposable {
  readonly #access: Access;
  readonly #agent: Agent;
  readonly #namespace: string | null;
  readonly #fieldManager: string;

  /** `namespace`: lists and watches see this one only. `fieldManager`: in whose name objects are applied. */
  constructor(access: Access, namespace: string | null = null, fieldManager: string = FIELD_MANAGER) {
    this.#access = access;
    this.#namespace = namespace;
    this.#fieldManager = fieldManager;
    this.#agent = new Agent({ connect: access.tls, connectTimeout: 10_000 });
  }

  /** Such as `v1.30.4`. */
  async version(): Promise<string> {
    const { gitVersion } = (await this.#json({ method: 'GET', path: '/version' })) as { gitVersion: string };
    return gitVersion;
  }

  async serves({ apiVersion, plural }: Resource): Promise<boolean> {
    try {
      const { resources } = (await this.#json({ method: 'GET', path: groupPath(apiVersion) })) as {
        resources: readonly { readonly name: string }[];
      };
      return resources.some(({ name }) => name === plural);
    } catch (error) {
      if (isApiError(error, 404)) return false;
      throw error;
    }
  }

  async list({ resource, labels }: Selection): Promise<Listing> {
    const items: KubeObject[] = [];
    let next: string | undefined = '';
    let resourceVersion = '';
    while (next !== undefined) {
      const query = { ...selector(labels), limit: String(PAGE), ...(next === '' ? {} : { continue: next }) };
      const page = (await this.#json({ method: 'GET', path: this.#collection(resource), query })) as {
        items: KubeObject[];
        metadata: { resourceVersion: string; continue?: string };
      };
      // The items of a list do not say what they are.
      const { apiVersion, kind } = resource;
      for (const item of page.items) items.push({ ...item, apiVersion, kind });
      resourceVersion = page.metadata.resourceVersion;
      next = page.metadata.continue === '' ? undefined : page.metadata.continue;
    }
    return { items, resourceVersion };
  }

  async *watch(
    { resource, labels }: Selection,
    from: string,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent> {
    const query = {
      ...selector(labels),
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(WATCH_SECONDS),
    };
    const call = { method: 'GET', path: this.#collection(resource), query, signal } as const;
    const { body } = await this.#send({ ...call, bodyTimeout: SILENCE_MS });
    try {
      for await (const line of readLines(body)) {
        const event = JSON.parse(line) as WatchEvent | { type: 'ERROR'; object: Status };
        if (event.type === 'ERROR') throw failure(event.object.code ?? 500, event.object, null);
        yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      throw error instanceof ApiError ? error : unreachable(error);
    }
  }

  async get(resource: Resource, namespace: string, name: string): Promise<KubeObject | null> {
    try {
      return await this.#object({ method: 'GET', path: objectPath(resource, namespace, name) });
    } catch (error) {
      if (isApiError(error, 404)) return null;
      throw error;
    }
  }

  async apply(
    object: KubeObject,
    { force, dryRun = false }: { force: boolean; dryRun?: boolean },
  ): Promise<KubeObject> {
    return await this.#apply(pathOf(object), object, force, dryRun);
  }

  async applyStatus(object: KubeObject, status: object): Promise<KubeObject> {
    const { apiVersion, kind, metadata } = object;
    const { name, namespace, uid } = metadata;
    const own = { apiVersion, kind, metadata: { name, namespace, uid }, status };
    return await this.#apply(`${pathOf(object)}/status`, own, true);
  }

  async annotate(
    object: KubeObject,
    annotations: Readonly<Record<string, string>>,
  ): Promise<KubeObject | null> {
    const { uid } = object.metadata;
    const body = { metadata: { uid, annotations } };
    try {
      return await this.#object({ method: 'PATCH', path: pathOf(object), body, contentType: MERGE });
    } catch (error) {
      // 409: there is one of this name, but it is another.
      if (isApiError(error, 404) || isApiError(error, 409)) return null;
      throw error;
    }
  }

  async delete(object: KubeObject): Promise<void> {
    const { uid } = object.metadata;
    const body = { propagationPolicy: 'Background', preconditions: { uid } };
    try {
      await this.#json({ method: 'DELETE', path: pathOf(object), body });
    } catch (error) {
      // 409: there is one of this name, but it is another.
      if (!isApiError(error, 404) && !isApiError(error, 409)) throw error;
    }
  }

  async create(object: KubeObject): Promise<KubeObject> {
    const { namespace } = object.metadata;
    const path = collectionPath(resourceOf(object), namespace ?? null);
    return await this.#object({ method: 'POST', path, body: object });
  }

  async replace(object: KubeObject): Promise<KubeObject> {
    return await this.#object({ method: 'PUT', path: pathOf(object), body: object });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  #collection(resource: Resource): string {
    return collectionPath(resource, this.#namespace);
  }

  #apply(path: string, body: object, force: boolean, dryRun = false): Promise<KubeObject> {
    const fieldManager = this.#fieldManager;
    const query = { fieldManager, force: String(force), ...(dryRun ? { dryRun: 'All' } : {}) };
    return this.#object({ method: 'PATCH', path, query, body, contentType: APPLY });
  }

  async #object(call: Call): Promise<KubeObject> {
    return (await this.#json(call)) as KubeObject;
  }

  async #json(call: Call): Promise<unknown> {
    const { body } = await this.#send(call);
    try {
      return await body.json();
    } catch (error) {
      throw unreachable(error);
    }
  }

  async #send(call: Call): Promise<Dispatcher.ResponseData> {
    const { method, path, query = {}, body, contentType = 'application/json', signal } = call;
    const url = new URL(`${this.#access.server}${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    let response: Dispatcher.ResponseData;
    try {
      const authorization = await this.#access.authorization();
      response = await request(url, {
        method,
        dispatcher: this.#agent,
        headers: {
          accept: 'application/json',
          ...(authorization === null ? {} : { authorization }),
          ...(body === undefined ? {} : { 'content-type': contentType }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: signal ?? null,
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: call.bodyTimeout ?? TIMEOUT_MS,
      });
    } catch (error) {
      throw error instanceof ApiError ? error : unreachable(error);
    }
    if (response.statusCode < 300) return response;
    const text = await response.body.text().catch(() => '');
    throw failure(response.statusCode, statusFrom(text), askedPause(response.headers['retry-after']));
  }
}

/** `metav1.Status` */
interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
}

function statusFrom(text: string): Status {
  try {
    return JSON.parse(text) as Status;
  } catch {
    return { message: text.slice(0, 200) };
  }
}

function failure(
  status: number,
  { reason = '', message = '' }: Status,
  retryAfterMs: number | null,
): ApiError {
  return new ApiError(status, reason, message === '' ? `The API server answered ${status}` : message, {
    retryAfterMs,
  });
}

function unreachable(cause: unknown): ApiError {
  const { message } = cause as Error;
  return new ApiError(0, 'Unreachable', `The API server cannot be reached: ${message}`, { cause });
}

/** Milliseconds; null: the server asks for none. */
function askedPause(header: string | string[] | undefined): number | null {
  const asked = retryAfterMs([header].flat()[0], Date.now());
  return asked === null ? null : Math.min(asked, LONGEST_PAUSE_MS);
}

function selector(labels: Selection['labels']): Record<string, string> {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? {} : { labelSelector: pairs.join(',') };
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

function collectionPath({ apiVersion, plural, ofCluster }: Resource, namespace: string | null): string {
  const scope =
    namespace === null || ofCluster === true ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${groupPath(apiVersion)}${scope}/${plural}`;
}

function objectPath(resource: Resource, namespace: string, name: string): string {
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
}

function pathOf(object: KubeObject): string {
  const { namespace = 'default', name } = object.metadata;
  return objectPath(resourceOf(object), namespace, name);
}
