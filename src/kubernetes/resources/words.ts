/** Values that more than one kind has. */
import { z } from 'zod';
import { choice, integer, shaped } from '../../config/scalars.ts';

/** RFC 1123 subdomain: what most objects may be called. */
export const objectName = shaped(
  /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/,
  'the name of an object: a-z, 0-9, - and ., beginning and ending with a letter or digit',
);

/** RFC 1035 label: a Service, and so its host name, is called like its owner. */
export const podName = shaped(
  /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  'a function name: 1 to 63 of a-z, 0-9 and -, beginning with a letter and not ending with -',
);

export const secretKey = z.strictObject({
  name: objectName.describe('Name of the Secret, in the same namespace.'),
  key: shaped(/^[A-Za-z0-9._-]{1,253}$/, 'a key of the Secret: letters, digits and ._-').describe(
    'Which of its values.',
  ),
});

export type SecretKey = z.output<typeof secretKey>;

export const imagePullSecrets = z
  .array(objectName)
  .max(8)
  .default([])
  .describe('Secrets that the registry asks for, by name.');

/** Gateway API: `*.` in front stands for one or more labels. */
const routeHost = shaped(
  /^(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/,
  'a host name in small letters, such as shop.example.com or *.example.com',
);

const routePrefix = shaped(
  /^\/([A-Za-z0-9_.~!$&'()+,;=:@-]+\/?)*$/,
  'the beginning of a path, such as /orders',
);

const parentRef = z.strictObject({
  name: objectName.describe('Name of the Gateway (gateway.networking.k8s.io).'),
  namespace: objectName.optional().describe('Its namespace. Default: the same.'),
  sectionName: objectName.optional().describe('One of its listeners. Default: all that take the route.'),
});

export const httpRoute = z.strictObject({
  parentRefs: z.array(parentRef).min(1).max(8).describe('The Gateways that requests come through.'),
  hostnames: z.array(routeHost).max(16).default([]).describe('Hosts to answer for. Default: every host.'),
  path: routePrefix.default('/').describe('Only paths that begin like this, by whole segments.'),
});

export type HttpRouteSpec = z.output<typeof httpRoute>;

export const service = z.strictObject({
  type: choice(['ClusterIP', 'LoadBalancer'])
    .default('ClusterIP')
    .describe('`LoadBalancer`: reachable from outside the cluster.'),
  port: integer(1, 65_535).prefault(80).describe('Port of the Service; the pods listen on 8080.'),
});
