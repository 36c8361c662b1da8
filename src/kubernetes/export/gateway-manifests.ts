/** A mayfly.yaml as a MayflyGateway with what belongs to it: the same platform, in a cluster. Pure. */
import type { RouteSettings, Settings } from '../../config/schema.ts';
import { isImageSource } from '../../model/code-source.ts';
import { MayflyError } from '../../model/errors.ts';
import type { KubeObject } from '../cluster/objects.ts';
import { written } from '../isolate/sections.ts';
import { camelCase } from '../resources/camel-case.ts';
import { specTree } from '../resources/crd.ts';
import { NONE } from '../resources/function.ts';
import { FUNCTION, GATEWAY, RATE_LIMIT } from '../resources/kinds.ts';
import { API_VERSION } from '../resources/names.ts';
import { gatewaySpec } from '../resources/gateway.ts';
import { secretName } from './functions-of.ts';

export interface GatewayExportOptions {
  /** Of the gateway. */
  readonly name: string;
  readonly namespace: string | undefined;
  readonly settings: Settings;
  /** Text of the files of `policy.files`. */
  readonly rego: readonly string[];
  /** Image by name of function, for those whose source is not one. */
  readonly images: Readonly<Record<string, string>>;
  /** The module of a function whose source is a .wasm file; null: it is none. */
  moduleOf(source: string): Uint8Array | null;
  isFromOutside(name: string, variable: string): boolean;
}

type Entry = Settings['functions'][string];
type Values = Record<string, unknown>;

/** As Kubernetes has keys; texts as they are. */
const AS_OBJECT = { key: camelCase, text: (text: string) => text };

/** Throws MayflyError for what cannot be said with objects. */
export function gatewayManifests(options: GatewayExportOptions): KubeObject[] {
  refuseFiles(options);
  const named = new Named(options);
  const functions = Object.entries(options.settings.functions).map(([name, entry]) =>
    object('Function', name, functionValues(options, name, entry, named)),
  );
  const gateway = object('MayflyGateway', options.name, gatewayValues(options));
  return [gateway, ...named.objects, ...functions].map((item) => placed(item, options.namespace));
}

/** The Secret that the key of tokens is expected in. */
export function jwtSecret(gateway: string): { readonly name: string; readonly key: string } {
  return { name: `${gateway}-jwt`, key: 'secret' };
}

/** The Secret that the password of the fleet's store is expected in. */
export function fleetSecret(gateway: string): { readonly name: string; readonly key: string } {
  return { name: `${gateway}-fleet`, key: 'password' };
}

function gatewayValues({ name, settings, rego }: GatewayExportOptions): Values {
  const { server, concurrency, logging, monitoring, security, policy, fleet } = settings;
  // None is right for one machine; in a cluster requests still come to a pod that ends.
  const { drain_delay, ...others } = server;
  const sections: Values = {
    server: drain_delay === 0 ? others : server,
    function: settings.function,
    rateLimit: settings.rate_limit,
    concurrency,
    logging,
    monitoring,
    security,
    policy: { decision_log: policy.decision_log },
  };
  const values = pick(specTree(GATEWAY).properties ?? {}, sections, gatewaySpec.parse({}));
  const { jwt_secret, jwt_secret_file, images } = security;
  if (jwt_secret !== undefined || jwt_secret_file !== undefined)
    values['security'] = { ...(values['security'] as object), jwtSecret: jwtSecret(name) };
  if (images.plain_http.length > 0)
    values['security'] = { ...(values['security'] as object), images: { plainHttp: images.plain_http } };
  if (fleet !== undefined) values['fleet'] = fleetValues(name, fleet);
  if (rego.length > 0) values['policy'] = { ...(values['policy'] as object), name };
  return values;
}

function fleetValues(gateway: string, fleet: NonNullable<Settings['fleet']>): Values {
  const { store, user, name, password, interval } = fleet;
  const tree = specTree(GATEWAY).properties?.['fleet'] ?? {};
  return {
    ...(written(tree, { store, user, name, interval }, AS_OBJECT) as object),
    ...(password === undefined ? {} : { passwordSecret: fleetSecret(gateway) }),
  };
}

type Tree = ReturnType<typeof specTree>;

/** What the file says otherwise than a gateway does by itself, section by section. */
function pick(tree: NonNullable<Tree['properties']>, sections: Values, defaults: Values): Values {
  const values: Values = {};
  for (const [section, value] of Object.entries(sections)) {
    const node = tree[section] ?? {};
    const said = keysOf(node, value as Values, defaults[section] as Values);
    if (Object.keys(said).length > 0) values[section] = said;
  }
  return values;
}

function keysOf(node: Tree, value: Values, defaults: Values): Values {
  const entries = Object.entries(value)
    .map(([key, inner]) => [camelCase(key), inner] as const)
    .filter(([key, inner]) => node.properties?.[key] !== undefined && inner !== undefined)
    .filter(([key]) => !['tls', 'images'].includes(key))
    .map(([key, inner]) => {
      const child = node.properties?.[key] as Tree;
      return [key, written(child, inner, AS_OBJECT), written(child, defaults[key], AS_OBJECT)] as const;
    })
    .filter(([, said, usual]) => JSON.stringify(said) !== JSON.stringify(usual));
  return Object.fromEntries(entries);
}

function functionValues(options: GatewayExportOptions, name: string, entry: Entry, named: Named): Values {
  const { settings, isFromOutside } = options;
  const variables = Object.entries(entry.env);
  const inside = variables.filter(([variable]) => !isFromOutside(name, variable));
  const outside = variables.filter(([variable]) => isFromOutside(name, variable));
  const limits = {
    ...entry,
    cpu_limit: entry.cpu_limit ?? settings.function.cpu_limit,
    memory_limit: entry.memory_limit ?? settings.function.memory_limit,
  };
  const tree = specTree(FUNCTION);
  const keys = Object.keys(limits).filter((key) => key.endsWith('limit') || LIMITS.has(key));
  const own = Object.fromEntries(keys.map((key) => [camelCase(key), limits[key as keyof typeof limits]]));
  return {
    runtime: 'isolate',
    gateway: options.name,
    ...codeOf(options, name, entry),
    ...(entry.routes === undefined
      ? {}
      : { routes: entry.routes.map((route, index) => routeValues(route, named, `${name}-${index + 1}`)) }),
    ...(inside.length === 0 ? {} : { env: Object.fromEntries(inside) }),
    ...(outside.length === 0
      ? {}
      : {
          secretEnv: Object.fromEntries(outside.map(([key]) => [key, { name: secretName(name), key }])),
        }),
    ...(written(tree, own, { ...AS_OBJECT, key: (key) => key }) as object),
  };
}

const LIMITS = new Set([
  'max_concurrent_requests',
  'request_timeout',
  'cpu_budget',
  'max_request_body',
  'max_response_body',
  'queue_size',
  'worker_timeout',
]);

function codeOf({ images, moduleOf }: GatewayExportOptions, name: string, { source }: Entry): Values {
  const image = images[name];
  if (image !== undefined) return { image };
  if (source !== undefined && isImageSource(source)) return { image: source.replace('oci://', '') };
  const wasm = source === undefined ? null : moduleOf(source);
  if (wasm !== null) return { source: { wasm: Buffer.from(wasm).toString('base64') } };
  throw notExportable(
    `functions.${name}.source`,
    `Cannot export ${JSON.stringify(name)}: a cluster needs an image or a module`,
    `Push an image (mayfly image build), and name it: --image ${name}=HOST/REPOSITORY@sha256:…`,
  );
}

function routeValues(route: RouteSettings, named: Named, name: string): Values {
  const { path, host, methods, auth, rate_limit, policy } = route;
  return {
    path,
    ...(host === undefined ? {} : { host }),
    ...(methods === undefined ? {} : { methods }),
    ...(auth === undefined ? {} : { auth }),
    ...(rate_limit === undefined ? {} : { rateLimit: named.rateLimit(name, rate_limit) }),
    ...(policy === undefined ? {} : { policy: named.policy(name, policy) }),
  };
}

/** Policies and RateLimits, each once. */
class Named {
  readonly #settings: Settings;
  readonly #rego: readonly string[];
  readonly #objects = new Map<string, KubeObject>();

  constructor({ name, settings, rego }: GatewayExportOptions) {
    this.#settings = settings;
    this.#rego = rego;
    if (rego.length > 0) this.policy(name, {});
  }

  get objects(): KubeObject[] {
    return [...this.#objects.values()];
  }

  policy(name: string, own: Exclude<RouteSettings['policy'], undefined>): string {
    if (own === false) return NONE;
    const { rule, input } = this.#settings.policy;
    const spec = { rego: this.#rego[0], rule: own.rule ?? rule, input: { ...input, ...own.input } };
    return this.#once('Policy', name, spec);
  }

  rateLimit(name: string, own: Exclude<RouteSettings['rate_limit'], undefined>): string {
    if (own === false) return NONE;
    const values = { ...this.#settings.rate_limit, ...own };
    const keyed = Object.fromEntries(Object.entries(values).map(([key, value]) => [camelCase(key), value]));
    return this.#once('RateLimit', name, written(specTree(RATE_LIMIT), keyed, AS_OBJECT) as Values);
  }

  #once(kind: string, name: string, spec: Values): string {
    const key = `${kind} ${JSON.stringify(spec)}`;
    const known = this.#objects.get(key) ?? object(kind, name, spec);
    this.#objects.set(key, known);
    return known.metadata.name;
  }
}

/** What a file has as other files, and objects do not. */
function refuseFiles({ settings: { policy, security, fleet }, rego }: GatewayExportOptions): void {
  const keys = [
    ['policy.data', policy.data, 'Say it in Rego instead.'],
    ['policy.opa_url', policy.opa_url, 'Use policy.files: gateways in a cluster decide themselves.'],
    ['security.jwks_file', security.jwks_file, 'Use security.jwks_url.'],
    [
      'fleet.ca_file',
      fleet?.ca_file,
      'Take it out, and put its text into spec.fleet.ca of the MayflyGateway that is written.',
    ],
    [
      'security.images.ca_file',
      security.images.ca_file,
      'Put the certificate into the image of the gateway.',
    ],
  ] as const;
  for (const [where, value, fix] of keys)
    if (value !== undefined)
      throw notExportable(where, 'Cannot export a configuration that needs a file', fix);
  if (rego.length > 1)
    throw notExportable(
      'policy.files',
      `Cannot export ${rego.length} files of rules: a Policy has one text`,
      'Put the rules into one file.',
    );
}

function notExportable(where: string, what: string, fix: string): MayflyError {
  return new MayflyError(what, { where, fix, exitCode: 2, code: 'not-exportable' });
}

function object(kind: string, name: string, spec: Values): KubeObject {
  return { apiVersion: API_VERSION, kind, metadata: { name }, spec };
}

function placed(item: KubeObject, namespace: string | undefined): KubeObject {
  return namespace === undefined ? item : { ...item, metadata: { ...item.metadata, namespace } };
}
