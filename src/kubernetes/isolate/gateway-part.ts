/** A MayflyGateway's own part of the `mayfly.yaml` of its pods. Pure. */
import type { SchemaNode } from '../../config/tree.ts';
import { specTree } from '../resources/crd.ts';
import type { GatewaySpec } from '../resources/gateway.ts';
import { GATEWAY } from '../resources/kinds.ts';
import type { SecretKey } from '../resources/words.ts';
import { keyFile, type PlacedFile } from './files.ts';
import { PORTS, STATE_FOLDER, TLS_FOLDER } from './places.ts';
import { secretVariable } from './secrets.ts';
import { variable, written } from './sections.ts';

export type Section = Readonly<Record<string, unknown>>;

export interface GatewayPart {
  readonly sections: Readonly<Record<string, Section>>;
  readonly files: readonly PlacedFile[];
  readonly secrets: readonly SecretKey[];
}

const TREE = specTree(GATEWAY);

/** `demandAddress`: where the pods tell of requests for functions with pods of their own, and only of them. */
export function gatewayPart(spec: GatewaySpec, demandAddress: string): GatewayPart {
  const { tls, ...server } = spec.server;
  const { jwtSecret, images, ...security } = spec.security;
  const files = images.keys.map((pem, index) => keyFile(index, pem));
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
        keys: files.map(({ name }) => name),
        plain_http: written(TREE, images.plainHttp),
      },
    },
    policy: { decision_log: inFile('policy', spec.policy)['decision_log'] },
    demand: { report_to: demandAddress },
    admin: { host: '127.0.0.1', port: PORTS.admin, token_file: `${STATE_FOLDER}/admin-token` },
    state: { directory: STATE_FOLDER },
  };
  return { sections, files, secrets: jwtSecret === undefined ? [] : [jwtSecret] };
}

function inFile(section: string, value: object): Section {
  return written(TREE.properties?.[section] as SchemaNode, value) as Section;
}
