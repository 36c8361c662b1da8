import { z } from 'zod';
import { duration, path, secret, shaped } from '../scalars.ts';

/** Gateways that act as one. */
export const fleet = z.strictObject({
  store: shaped(
    /^(redis|rediss|valkey|valkeys):\/\/(\[[0-9a-fA-F:.]+\]|[^\s/@:[\]]+)(:\d{1,5})?\/?$/,
    'an address such as valkey://valkey:6379, or valkeys:// with TLS; without a password',
  ).describe(
    'Valkey 7.2 or newer, or Redis 6 or newer, through which gateways tell each other what callers used. Nothing is stored there.',
  ),
  user: shaped(/^\S+$/, 'a name without spaces').default('default').describe('User of the store.'),
  password: secret()
    .optional()
    .describe(
      'Password of the store; best as "${VALKEY_PASSWORD}". It also keys the fingerprints of callers.',
    ),
  ca_file: path('a PEM file, relative to the configuration file')
    .optional()
    .describe('Certificate authorities for TLS to the store, instead of the usual ones.'),
  name: shaped(/^[\w.-]{1,63}$/, '1 to 63 of letters, digits, - . and _')
    .default('mayfly')
    .describe('Gateways with the same name, store and password share their rate limits.'),
  interval: duration(10, 10_000)
    .prefault('100ms')
    .describe('How often a gateway tells the others; see the guide for what it means for exactness.'),
});
