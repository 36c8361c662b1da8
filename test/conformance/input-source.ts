/** Inputs for the policies beside this file: one well-formed document, bent at random. The same seed, the same inputs. */
type Json = unknown;

const odd: readonly Json[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  -0.5,
  0.5,
  1e21,
  9007199254740992,
  255,
  100,
  '',
  '0',
  'read',
  'admin',
  'gold',
];
const odder: readonly Json[] = [
  [],
  {},
  [1],
  ['admin'],
  { a: 1 },
  [[]],
  'ü',
  'a"b\\c',
  'x\u0000y',
  '😀',
  '__proto__',
  'constructor',
];
const values: Record<string, readonly Json[]> = {
  action: ['read', 'write', 'delete', 'orders'],
  resource: ['orders', 'users', 'toString', '__proto__'],
  path: [
    '/api/v1/orders/ab-12',
    '/public/a/b',
    '/users/7/profile',
    '/users/7/8/profile',
    '//a//b',
    '/',
    'äöü/x',
  ],
  ip: ['10.1.2.3', '192.168.1.1', '8.8.8.8', '2001:db8::7', '10.0.0', '::1'],
  network: ['10.0.0.0/8', '10.1.2.0/24', '172.16.0.0/12', '10.1.0.0'],
  time: [1763800000, 0, 1863800001, 43200, 3600.5],
  level: ['gold', 'silver', 'bronze'],
  tenant: ['acme', 'evil'],
  id: ['u1', 'u2', ' U3 ', 'owner'],
  amount: [0, 5, 99, 100, 101, 1000, 10000, 9007199254740991, 2.5, -7],
  aud: ['shop', ['shop', 'other'], ['other']],
  iss: ['https://issuer.example', 'https://evil.example'],
  scope: ['openid orders:write', 'orders:read', ''],
  exp: [1863800000, 1763800000, 1],
  roles: [['admin'], ['editor', 'viewer'], ['blocked'], ['constructor'], []],
  scopes: [['read'], ['read', 'write'], ['read', 'read', 'x']],
  quantity: [0, 1, 6, -1],
  price: [1, 99.99, 101],
  remaining: [0, 1, 100, -1],
  blocked: [true, false],
};

const template = {
  action: 'read',
  resource: 'orders',
  path: '/',
  ip: '10.1.2.3',
  network: '10.0.0.0/8',
  time: 1763800000,
  user: {
    id: 'u1',
    tenant: 'acme',
    level: 'gold',
    blocked: false,
    roles: ['admin'],
    scopes: ['read'],
    claims: { iss: '', exp: 1, aud: 'shop', scope: '' },
    grants: [
      { resource: 'orders', actions: ['read', 'write'] },
      { resource: 'users', actions: ['read'] },
    ],
  },
  order: {
    tenant: 'acme',
    owner: 'u1',
    amount: 100,
    numbers: [1, 9007199254740992, 1e21],
    items: [
      { sku: 'a', quantity: 1, price: 1, tags: ['x', 'y'] },
      { sku: 'b', quantity: 6, price: 101, tags: [] },
      { sku: 'a', quantity: 2, price: 5, tags: ['z'] },
    ],
  },
  rate_limit: { limit: 100, remaining: 1 },
  sales: [
    { from: 1763700000, to: 1763900000 },
    { from: 0, to: 10 },
  ],
  extra: { a: 1, b: null, fixed: 2, constructor: 'c' },
  graph: { u1: ['u2'], u2: ['forbidden', 'u1'], forbidden: [] },
};

export class InputSource {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): Json {
    const input = this.#vary(template, '');
    return this.#chance(0.5) ? this.#bend(input) : input;
  }

  /** A copy in which every known member has one of its usual values. */
  #vary(value: Json, name: string): Json {
    if (Object.hasOwn(values, name) && this.#chance(0.8)) return structuredClone(this.pick(values[name]!));
    if (Array.isArray(value)) return value.map((element) => this.#vary(element, ''));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.#vary(member, key)]));
  }

  /** Nonsense somewhere, or a member less. */
  #bend(value: Json): Json {
    if (typeof value !== 'object' || value === null || this.#chance(0.15)) {
      return structuredClone(this.pick(this.#chance(0.6) ? odd : odder));
    }
    const keys = Object.keys(value);
    if (keys.length === 0) return value;
    const key = this.pick(keys);
    const bent = value as Record<string, Json>;
    if (!Array.isArray(value) && this.#chance(0.2)) delete bent[key];
    else bent[key] = this.#bend(bent[key]);
    return value;
  }

  #chance(probability: number): boolean {
    return this.#below(1000) < probability * 1000;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }

  /** mulberry32 */
  #below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
}
