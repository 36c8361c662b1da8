import { METHODS, methodCode } from '../model/method.ts';
import type { RouteSpec } from '../model/route.ts';
import { headerLine } from './header-line.ts';

/** One path of the routing table: what answers it for each method code. */
export interface PathEntry<Route> {
  readonly pattern: string;
  /** Indexed by method code (model/method.ts). */
  readonly byMethod: readonly (Route | null)[];
  /** Value of the Allow header (RFC 9110 §10.2.1). */
  readonly allow: string;
  readonly allowLine: Buffer;
}

interface HostTable<Route> {
  readonly exact: ReadonlyMap<string, PathEntry<Route>>;
  /** Longest prefix first; each ends in '/'. */
  readonly prefixes: readonly { readonly prefix: string; readonly entry: PathEntry<Route> }[];
}

/**
 * Host + path → PathEntry. Immutable: a new snapshot brings a new router.
 * A host's own routes win over those for every host; an exact path wins over a prefix, a longer prefix over a shorter.
 */
export class Router<Route extends { readonly spec: RouteSpec }> {
  /** True when some route names a host, so that the caller need not read Host otherwise. */
  readonly usesHosts: boolean;
  readonly #everyHost: HostTable<Route>;
  readonly #byHost: ReadonlyMap<string, HostTable<Route>>;

  constructor(routes: readonly Route[]) {
    const hosts = new Map<string | null, Route[]>();
    for (const route of routes) {
      const list = hosts.get(route.spec.host);
      if (list === undefined) hosts.set(route.spec.host, [route]);
      else list.push(route);
    }
    this.#everyHost = hostTable(hosts.get(null) ?? []);
    const byHost = new Map<string, HostTable<Route>>();
    for (const [host, list] of hosts) if (host !== null) byHost.set(host, hostTable(list));
    this.#byHost = byHost;
    this.usesHosts = byHost.size > 0;
  }

  /** `host`: lower case without port, '' when unknown. `path`: normalised, without query. Null: no such path. */
  find(host: string, path: string): PathEntry<Route> | null {
    if (this.usesHosts) {
      const table = this.#byHost.get(host);
      const found = table === undefined ? null : lookup(table, path);
      if (found !== null) return found;
    }
    return lookup(this.#everyHost, path);
  }
}

function lookup<Route>(table: HostTable<Route>, path: string): PathEntry<Route> | null {
  const exact = table.exact.get(path);
  if (exact !== undefined) return exact;
  for (const { prefix, entry } of table.prefixes) if (path.startsWith(prefix)) return entry;
  return null;
}

function hostTable<Route extends { readonly spec: RouteSpec }>(routes: readonly Route[]): HostTable<Route> {
  const byPattern = new Map<string, Route[]>();
  for (const route of routes) {
    const list = byPattern.get(route.spec.path);
    if (list === undefined) byPattern.set(route.spec.path, [route]);
    else list.push(route);
  }
  const exact = new Map<string, PathEntry<Route>>();
  const prefixes: { prefix: string; entry: PathEntry<Route> }[] = [];
  for (const [pattern, list] of byPattern) {
    const entry = pathEntry(pattern, list);
    if (pattern.endsWith('/*')) prefixes.push({ prefix: pattern.slice(0, -1), entry });
    else exact.set(pattern, entry);
  }
  prefixes.sort((a, b) => b.prefix.length - a.prefix.length);
  return { exact, prefixes };
}

function pathEntry<Route extends { readonly spec: RouteSpec }>(
  pattern: string,
  routes: readonly Route[],
): PathEntry<Route> {
  const byMethod: (Route | null)[] = METHODS.map(() => null);
  for (const route of routes) {
    if (route.spec.methods !== null)
      for (const name of route.spec.methods) byMethod[methodCode(name)] = route;
  }
  // A route for every method takes what the routes with named methods leave.
  for (const route of routes) {
    if (route.spec.methods === null)
      for (let code = 1; code < byMethod.length; code++) byMethod[code] ??= route;
  }
  const get = methodCode('GET');
  const head = methodCode('HEAD');
  byMethod[head] ??= byMethod[get] ?? null;
  const allowed = METHODS.filter(
    (name, code) => name !== '' && (byMethod[code] !== null || name === 'OPTIONS'),
  );
  const allow = allowed.join(', ');
  return { pattern, byMethod, allow, allowLine: headerLine('allow', allow) };
}
