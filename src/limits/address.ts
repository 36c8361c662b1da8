/**
 * What an address counts as in a limit: an IPv4 address for itself (also when it comes mapped into IPv6), an IPv6 address
 * as its /64 network, because one customer holds at least 2^64 of those (RFC 6177) and could take a new one per request.
 */
export function addressGroup(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1] as string;
  const plain = address.split('%', 1)[0] as string;
  const [head = '', tail] = plain.split('::', 2);
  const front = head === '' ? [] : head.split(':');
  if (tail === undefined) return network(front);
  const back = tail === '' ? [] : tail.split(':');
  // A dotted quad at the end stands for two groups.
  const backLength = back.length + (back.at(-1)?.includes('.') === true ? 1 : 0);
  const zeros = Math.max(0, 8 - front.length - backLength);
  return network([...front, ...Array.from({ length: zeros }, () => '0'), ...back]);
}

function network(groups: readonly string[]): string {
  const first = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${first.join(':')}::/64`;
}
