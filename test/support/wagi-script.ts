/** Scripts for test/fixtures/wagi/script.wat: what a hostile CGI program does, one operation after the other. */
import { join } from 'node:path';

export const WAGI_SCRIPT = join(import.meta.dirname, '../fixtures/wagi/script.wat');

export const OPERATIONS = [
  'end',
  'head',
  'stdout',
  'stderr',
  'store',
  'fill',
  'grow',
  'globals',
  'table',
  'growTable',
  'exit',
  'trap',
  'loop',
  'overflow',
  'dive',
  'random',
  'environ',
  'args',
  'clock',
  'fdstat',
  'filestat',
  'poll',
  'read',
  'write',
] as const;

export type Operation = (typeof OPERATIONS)[number];
export type Step = readonly [Operation, number?, number?];

/** The script as the guest reads it from its standard input. */
export function script(...steps: readonly Step[]): Buffer {
  const bytes = Buffer.alloc(steps.length * 9);
  steps.forEach(([operation, a = 0, b = 0], index) => {
    bytes[index * 9] = OPERATIONS.indexOf(operation);
    bytes.writeUInt32LE(a >>> 0, index * 9 + 1);
    bytes.writeUInt32LE(b >>> 0, index * 9 + 5);
  });
  return bytes;
}
