import { z } from 'zod';
import { choice, decimal, duration, flag, path, secret, shaped, text, url } from '../scalars.ts';

const images = z.strictObject({
  keys: z
    .array(path('a PEM file, relative to the configuration file'))
    .default([])
    .describe(
      'Public keys (PEM, ECDSA P-256, such as `cosign.pub`). With any, a function whose source is an image is served only when the image is signed with one of them.',
    ),
  ca_file: path('a PEM file, relative to the configuration file')
    .optional()
    .describe('Certificates that registries may show besides those that the system trusts.'),
  plain_http: z
    .array(text('a host with its port, such as registry.internal:5000'))
    .default([])
    .describe('Registries that are spoken to without TLS. Those on this machine may do so by themselves.'),
});

export const security = z.strictObject({
  jwt_secret: secret()
    .optional()
    .describe(
      'Secret that HS256 tokens are signed with, 32 bytes or more; best as "${JWT_SECRET}". Without a secret and without a key set, nobody is asked to sign in.',
    ),
  jwt_secret_file: path()
    .optional()
    .describe('File with that secret instead; written on first start when it does not exist.'),
  token_expiry: duration(1000)
    .prefault('3600s')
    .describe(
      'How long tokens of `mayfly token` are valid, and the age (by `iat`) from which any token is refused.',
    ),
  rate_limit_enabled: flag().prefault(true).describe('Whether rate limits are applied at all.'),
  issuer: text().optional().describe('The `iss` that tokens must have. Default: any.'),
  audience: text().optional().describe('The `aud` that tokens must have. Default: any.'),
  jwks_file: path('a JSON file, relative to the configuration file')
    .optional()
    .describe('Key set (RFC 7517) for RS256, ES256 and EdDSA tokens; read again when it changes.'),
  jwks_url: url()
    .optional()
    .describe(
      'Address of such a key set; fetched again every jwks_refresh and when a token names an unknown key.',
    ),
  jwks_refresh: duration(1000, 86_400_000).prefault('10m').describe('How often jwks_url is fetched.'),
  clock_tolerance: duration(0, 3_600_000)
    .prefault('5s')
    .describe('Difference between clocks that `exp`, `nbf` and `iat` are given.'),
  images: images.prefault({}).describe('How functions from images (`source: oci://…`) are checked.'),
});

export const ruleName = shaped(
  /^data(\.[A-Za-z_][A-Za-z0-9_]*)+$/,
  'the full name of a rule: data.PACKAGE.RULE, such as data.serverless.allow',
);

const FIELD = '[A-Za-z_][A-Za-z0-9_]*';
const fieldPath = shaped(
  new RegExp(`^${FIELD}(\\.${FIELD})*$`),
  'a field of the input: names joined by dots, such as order.amount',
);
const source = shaped(
  /^(=[\s\S]*|claim:[\s\S]+|header:[A-Za-z0-9!#$%&'*+.^_`|~-]+|query:[\s\S]+|body:(\/([^~/]|~[01])*)*)$/,
  'one of "=constant", "claim:NAME", "header:NAME", "query:NAME", "body:/json/pointer"',
);

export const input = z
  .record(fieldPath, source)
  .describe(
    'Further fields of the policy input: `order.amount: "body:/order/amount"`, `tenant: "claim:tenant"`, `action: "=create"`, `page: "query:page"`, `agent: "header:user-agent"`. A source that a request does not have leaves its field undefined.',
  );

export const decisionLog = z.strictObject({
  enabled: flag().prefault(false).describe('Log decisions of the policy.'),
  sample: decimal(0, 1)
    .prefault(1)
    .describe('Share of the allowed ones that is logged; denied ones always are.'),
  mask: z
    .array(shaped(/^(\/([^~/]|~[01])*)+$/, 'a JSON pointer into the input, such as /user/email'))
    .default([])
    .describe('Fields of the input that are left out of the log, as JSON pointers.'),
});

export const policy = z.strictObject({
  files: z
    .array(path('a path or glob, relative to the configuration file'))
    .default([])
    .describe(
      'Rego files, folders or globs (`policies/**/*.rego`), old or new syntax. Without files and without opa_url the authorise stage is off.',
    ),
  data: path('a JSON or YAML file, relative to the configuration file')
    .optional()
    .describe('File whose content the rules see under `data`.'),
  compiled: path('a folder, relative to the configuration file')
    .optional()
    .describe(
      'Folder where the operator of a cluster puts compiled policies; they are taken instead of compiling `files`. What lies there decides: for generated configurations only. Default: none.',
    ),
  rule: ruleName
    .default('data.serverless.allow')
    .describe('The rule that must be true for a request to pass; anything else denies.'),
  opa_url: url()
    .optional()
    .describe('Ask a running OPA at this address instead of deciding here; no answer means deny.'),
  decision_log: decisionLog.prefault({}).describe('Which decisions are logged.'),
  input: input.default({}),
});

/** At a route: the rule replaces that of `policy`, input fields are added to those of `policy`. */
export const routePolicy = z.strictObject({
  rule: ruleName.optional().describe('The rule that decides here. Default: policy.rule.'),
  input: input.optional(),
});

export const auth = choice(['required', 'optional', 'public']);
