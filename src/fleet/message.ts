/** What gateways tell each other: who it is, and what each key used since the last message. Fingerprints only: no user, no address. */
import type { Spent } from '../limits/spending.ts';

/*
 * 4 bytes   'MFY1'
 * 16 bytes  the gateway, drawn at its start
 * 4 bytes   number of the message
 * 16 bytes a key: limit, low, high, ticks
 * All numbers little-endian.
 */
const MAGIC = Buffer.from('MFY1');
export const ID_BYTES = 16;
const HEADER_BYTES = MAGIC.length + ID_BYTES + 4;
const SPENT_BYTES = 16;

export interface Message {
  /** Hexadecimal. */
  readonly from: string;
  readonly number: number;
  readonly spent: readonly Spent[];
}

export function packMessage(from: Uint8Array, number: number, spent: readonly Spent[]): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + spent.length * SPENT_BYTES);
  bytes.set(MAGIC, 0);
  bytes.set(from, MAGIC.length);
  bytes.writeUInt32LE(number >>> 0, MAGIC.length + ID_BYTES);
  let at = HEADER_BYTES;
  for (const { limit, low, high, ticks } of spent) {
    bytes.writeInt32LE(limit, at);
    bytes.writeInt32LE(low, at + 4);
    bytes.writeInt32LE(high, at + 8);
    bytes.writeInt32LE(ticks, at + 12);
    at += SPENT_BYTES;
  }
  return bytes;
}

/** null: not such a message. */
export function unpackMessage(bytes: Buffer): Message | null {
  const keys = (bytes.length - HEADER_BYTES) / SPENT_BYTES;
  if (keys < 0 || !Number.isInteger(keys) || !MAGIC.equals(bytes.subarray(0, MAGIC.length))) return null;
  const spent: Spent[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; at += SPENT_BYTES) {
    const [limit, low, high, ticks] = [0, 4, 8, 12].map((offset) => bytes.readInt32LE(at + offset));
    // A key with 0 marks a free entry; nobody uses less than nothing.
    if (high === 0 || ticks <= 0) return null;
    spent.push({ limit, low, high, ticks });
  }
  return {
    from: bytes.toString('hex', MAGIC.length, MAGIC.length + ID_BYTES),
    number: bytes.readUInt32LE(MAGIC.length + ID_BYTES),
    spent,
  };
}
