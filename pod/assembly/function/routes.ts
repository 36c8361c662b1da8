import { METHODS, GET, HEAD, OPTIONS, methodName } from "../http/methods";
import { lower } from "../http/characters";
import { reserve } from "../memory/arena";
import { find, is, put } from "../memory/bytes";

/**
 * One path that the function answers. As in the gateway (src/gateway/router.ts) a host's own routes win over those for
 * every host, an exact path wins over a prefix, a longer prefix over a shorter.
 */
@unmanaged
export class Route {
  next: usize;
  /** Lower case, without port; empty: every host. */
  hostStart: usize;
  hostEnd: usize;
  /** A prefix ends in `/`. */
  pathStart: usize;
  pathEnd: usize;
  isPrefix: bool;
  /** A bit for each method that the function takes here. */
  methods: u32;
  /** `allow: GET, HEAD, OPTIONS\r\n`. */
  allowStart: usize;
  allowEnd: usize;
}

const EVERY_METHOD: u32 = (1 << METHODS) - 2;

let routes: usize = 0;

/** `METHODS HOST PATH`: names with commas between or `*`, a host or `*`, a path that may end in `/*`. */
export function addRoute(start: usize, end: usize): void {
  const methodsEnd = find(start, end, 0x20);
  const hostStart = methodsEnd + 1;
  const hostEnd = find(hostStart, end, 0x20);
  const everyHost = is(hostStart, hostEnd, "*");
  const pathStart = hostEnd + 1;
  const isPrefix = end - pathStart >= 2 && is(end - 2, end, "/*");
  const pathEnd = isPrefix ? end - 1 : end;
  const methods = readMethods(start, methodsEnd);
  const route = existing(everyHost ? hostEnd : hostStart, hostEnd, pathStart, pathEnd, isPrefix);
  route.methods |= methods;
  if ((route.methods & (1 << GET)) != 0) route.methods |= 1 << HEAD;
}

/** What answers a request. Null: nothing does. `host` is as the client wrote it. */
export function findRoute(hostStart: usize, hostEnd: usize, pathStart: usize, pathEnd: usize): Route | null {
  const own = bestOf(hostStart, hostEnd, pathStart, pathEnd, false);
  return own != null ? own : bestOf(hostStart, hostEnd, pathStart, pathEnd, true);
}

/** All routes are known: writes their Allow lines. */
export function openRoutes(): void {
  for (let at = routes; at != 0;) {
    const route = changetype<Route>(at);
    at = route.next;
    writeAllowLine(route);
  }
}

/** OPTIONS is answered everywhere. */
function writeAllowLine(route: Route): void {
  route.allowStart = reserve(80);
  let at = put(route.allowStart, "allow: ");
  const allowed = route.methods | (1 << OPTIONS);
  let isFirst = true;
  for (let method = 1; method < METHODS; method++) {
    if ((allowed & (1 << method)) == 0) continue;
    if (!isFirst) at = put(at, ", ");
    at = put(at, methodName(method));
    isFirst = false;
  }
  route.allowEnd = put(at, "\r\n");
}

function bestOf(
  hostStart: usize,
  hostEnd: usize,
  pathStart: usize,
  pathEnd: usize,
  ofEveryHost: bool,
): Route | null {
  let best: Route | null = null;
  for (let at = routes; at != 0;) {
    const route = changetype<Route>(at);
    at = route.next;
    const isForEvery = route.hostStart == route.hostEnd;
    if (isForEvery != ofEveryHost) continue;
    if (!isForEvery && !isHost(route, hostStart, hostEnd)) continue;
    if (!matches(route, pathStart, pathEnd)) continue;
    if (!route.isPrefix) return route;
    if (best == null || route.pathEnd - route.pathStart > best.pathEnd - best.pathStart) best = route;
  }
  return best;
}

function isHost(route: Route, start: usize, end: usize): bool {
  if (end - start != route.hostEnd - route.hostStart) return false;
  for (let i: usize = 0; i < end - start; i++) {
    if (lower(load<u8>(start + i)) != load<u8>(route.hostStart + i)) return false;
  }
  return true;
}

function matches(route: Route, start: usize, end: usize): bool {
  const length = route.pathEnd - route.pathStart;
  if (route.isPrefix ? end - start < length : end - start != length) return false;
  return memory.compare(route.pathStart, start, length) == 0;
}

function existing(hostStart: usize, hostEnd: usize, pathStart: usize, pathEnd: usize, isPrefix: bool): Route {
  for (let at = routes; at != 0;) {
    const route = changetype<Route>(at);
    at = route.next;
    const sameHost =
      route.hostEnd - route.hostStart == hostEnd - hostStart &&
      memory.compare(route.hostStart, hostStart, hostEnd - hostStart) == 0;
    if (sameHost && route.isPrefix == isPrefix && route.pathEnd - route.pathStart == pathEnd - pathStart) {
      if (memory.compare(route.pathStart, pathStart, pathEnd - pathStart) == 0) return route;
    }
  }
  const route = changetype<Route>(reserve(offsetof<Route>()));
  route.next = routes;
  route.hostStart = hostStart;
  route.hostEnd = hostEnd;
  route.pathStart = pathStart;
  route.pathEnd = pathEnd;
  route.isPrefix = isPrefix;
  routes = changetype<usize>(route);
  return route;
}

function readMethods(start: usize, end: usize): u32 {
  if (is(start, end, "*")) return EVERY_METHOD;
  let methods: u32 = 0;
  for (let i = start; i < end;) {
    const nameEnd = find(i, end, 0x2c);
    for (let method = 1; method < METHODS; method++) {
      if (is(i, nameEnd, methodName(method))) methods |= 1 << method;
    }
    i = nameEnd + 1;
  }
  return methods;
}
