/** Which Function has which requests of a gateway. */
import type { Obstacle } from './function-part.ts';

export interface PlannedRoute {
  readonly path: string;
  readonly host?: string | undefined;
  readonly methods?: readonly string[] | undefined;
}

interface Entry {
  readonly name: string;
  readonly methods: readonly string[] | undefined;
}

export class RouteBook {
  readonly #entries = new Map<string, Entry[]>();

  /** What another Function has of these; null: nothing. The same rule as `mayfly check` has for one file. */
  conflict(name: string, routes: readonly PlannedRoute[]): Obstacle | null {
    for (const route of routes) {
      const rival = this.#at(route).find((entry) => entry.name !== name && meets(entry, route));
      if (rival === undefined) continue;
      const message = `Function ${rival.name}, which is older, answers ${route.host ?? ''}${route.path} already. Choose another path, host or method.`;
      return { reason: 'RouteTaken', message };
    }
    return null;
  }

  add(name: string, routes: readonly PlannedRoute[]): void {
    for (const route of routes) this.#at(route).push({ name, methods: route.methods });
  }

  #at({ host = '', path }: PlannedRoute): Entry[] {
    const key = `${host.toLowerCase()} ${path}`;
    const found = this.#entries.get(key) ?? [];
    this.#entries.set(key, found);
    return found;
  }
}

function meets({ methods: ours }: Entry, { methods: theirs }: PlannedRoute): boolean {
  if (ours === undefined || theirs === undefined) return true;
  return ours.some((method) => theirs.includes(method));
}
