import { fallback } from '../fallback.ts';

/** Networks. Addresses are bigints of 32 or 128 bits; what mixes the two families is left to WebAssembly. */
interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}
interface Network extends Address {
  readonly prefix: number;
}

function parseAddress(text: string): Address | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): Address | undefined {
  const parts = text.split('.');
  const valid =
    parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  if (valid) return { bits: 32, value: parts.reduce((value, part) => value * 256n + BigInt(part), 0n) };
  // Leading zeros are wrong for one form of OPA and not for the other.
  return parts.length === 4 && /^[\d.]+$/.test(text) ? fallback() : undefined;
}

function parseIpv6(text: string): Address | undefined {
  if (text.includes('.') || text.includes('%')) fallback();
  const [head, tail, ...more] = text.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const groups = [...(head as string[]), ...(tail ?? [])];
  const missing = 8 - groups.length;
  const complete = tail === undefined ? missing === 0 : missing >= 1 && more.length === 0;
  if (!complete || !groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return undefined;
  const all = [...(head as string[]), ...Array.from({ length: missing }, () => '0'), ...(tail ?? [])];
  const value = all.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
  // ::ffff:a.b.c.d is an address of both families.
  return value >> 32n === 0xffffn ? fallback() : { bits: 128, value };
}

function parseNetwork(text: unknown): Network | undefined {
  if (typeof text !== 'string') return undefined;
  const [name, length, ...more] = text.split('/');
  const address = parseAddress(name as string);
  if (address === undefined || more.length > 0 || !/^\d+$/.test(length ?? '')) return undefined;
  if (/^0\d/.test(length as string)) fallback();
  const prefix = Number(length);
  if (prefix > address.bits) return undefined;
  const host = BigInt(address.bits - prefix);
  return { bits: address.bits, prefix, value: (address.value >> host) << host };
}

function holds(network: Network, { bits, value }: Address): boolean {
  const host = BigInt(network.bits - network.prefix);
  return bits === network.bits && value >> host === network.value >> host;
}

/** Whether a network contains an address or a network. */
function contains(network: unknown, other: unknown): boolean | undefined {
  const outer = parseNetwork(network);
  if (outer === undefined || typeof other !== 'string') return undefined;
  const address = other.includes('/') ? undefined : parseAddress(other);
  if (address !== undefined) return holds(outer, address);
  const inner = parseNetwork(other);
  return inner && inner.prefix >= outer.prefix && holds(outer, inner);
}

function intersects(a: unknown, b: unknown): boolean | undefined {
  const [x, y] = [parseNetwork(a), parseNetwork(b)];
  return x && y && (holds(x, y) || holds(y, x));
}

export const cidr = {
  'net.cidr_contains': contains,
  'net.cidr_overlap': contains,
  'net.cidr_intersects': intersects,
};
