/** A MayflyGateway's own part of the `mayfly.yaml` of its pods. Pure. */
import type { SchemaNode } from '../../config/tree.ts';
import { specTree } from '../resources/crd.ts';
import type { GatewaySpec } from '../resources/gateway.ts';
import { GATEWAY } from '../resources/kinds.ts';
import type { Owner } from '../resources/owned.ts';
import type { SecretKey } from '../resources/words.ts';
import { hashOf, pemFile, type PlacedFile } from './files.ts';
import { PORTS, STATE_FOLDER, TLS_FOLDER, TOKEN_FILE, TOKEN_FOLDER } from './places.ts';
import { secretVariable } from './secrets.ts';
import { variable, written } from './sections.ts';

export type Section = Readonly<Record<string, unknown>>;

export interface GatewayPart {
  readonly sections: Readonly<Record<string, Section>>;
  readonly files: readonly PlacedFile[];
  readonly secrets: readonly SecretKey[];
  /** Hash of what pods read once, when they start: another one needs other pods. */
  readonly start: string;
}

const TREE = specTree(GATEWAY);
const LONGEST_FLEET_NAME = 63;

/** `demandAddress`: where the pods tell of requests for functions with pods of their own, and only of them. */
export function gatewayPart(owner: Owner, spec: GatewaySpec, demandAddress: string): GatewayPart {
  const { tls, ...server } = spec.server;
  const { jwtSecret, images, ...security } = spec.security;
  const keys = images.keys.map((pem, index) => pemFile(`key-${index}`, pem));
  const fleet = fleetPart(owner, spec);
  const sections = {
    server: {
      ...inFile('server', server),
      host: '0.0.0.0',
      port: PORTS.http,
      ...(tls === undefined
        ? {}
        : {
            tls: {
              certificate: `${TLS_FOLDER}/tls.crt`,
              key: `${TLS_FOLDER}/tls.key`,
              port: PORTS.https,
            },
          }),
    },
    function: inFile('function', spec.function),
    rate_limit: inFile('rateLimit', spec.rateLimit),
    concurrency: inFile('concurrency', spec.concurrency),
    logging: { ...inFile('logging', spec.logging), output: 'stdout' },
    monitoring: { ...inFile('monitoring', spec.monitoring), enabled: true, metrics_port: PORTS.metrics },
    security: {
      ...inFile('security', security),
      ...(jwtSecret === undefined ? {} : { jwt_secret: variable(secretVariable(jwtSecret)) }),
      images: {
        keys: keys.map(({ name }) => name),
        plain_http: written(TREE, images.plainHttp),
      },
    },
    ...fleet.sections,
    policy: { compiled: '.', decision_log: inFile('policy', spec.policy)['decision_log'] },
    demand: { report_to: demandAddress, token_file: `${TOKEN_FOLDER}/${TOKEN_FILE}` },
    admin: { host: '127.0.0.1', port: PORTS.admin, token_file: `${STATE_FOLDER}/admin-token` },
    state: { directory: STATE_FOLDER },
  };
  const { logging, monitoring, demand } = sections;
  return {
    sections,
    files: [...keys, ...fleet.files],
    secrets: [...(jwtSecret === undefined ? [] : [jwtSecret]), ...fleet.secrets],
    start: hashOf(JSON.stringify([spec.server.threads, logging, monitoring, demand, fleet.sections])),
  };
}

interface FleetPart {
  readonly sections: Readonly<Record<string, Section>>;
  readonly files: readonly PlacedFile[];
  readonly secrets: readonly SecretKey[];
}

function fleetPart({ namespace, name }: Owner, { fleet }: GatewaySpec): FleetPart {
  if (fleet === undefined) return { sections: {}, files: [], secrets: [] };
  const { passwordSecret, ca, ...others } = fleet;
  const files = ca === undefined ? [] : [pemFile('fleet-ca', ca)];
  const [authorities] = files;
  const section = {
    ...inFile('fleet', { name: fleetName(`${namespace}.${name}`), ...others }),
    ...(passwordSecret === undefined ? {} : { password: variable(secretVariable(passwordSecret)) }),
    ...(authorities === undefined ? {} : { ca_file: authorities.name }),
  };
  return {
    sections: { fleet: section },
    files,
    secrets: passwordSecret === undefined ? [] : [passwordSecret],
  };
}

/** Names of fleets are shorter than those of namespace and gateway together may be. */
function fleetName(place: string): string {
  return place.length <= LONGEST_FLEET_NAME ? place : `mayfly.${hashOf(place)}`;
}

function inFile(section: string, value: object): Section {
  return written(TREE.properties?.[section] as SchemaNode, value) as Section;
}
