/**
 * Protocol Buffers as far as CRI needs them: messages written down as tables of field numbers, encoded and decoded.
 * https://protobuf.dev/programming-guides/encoding/
 */

type Scalar = 'string' | 'int' | 'bool';
/** A list, or a map from string to string. */
interface Repeated {
  readonly list: Scalar | Message;
}
type Type = Scalar | 'map' | Message | Repeated;
export interface Message {
  readonly [name: string]: readonly [number: number, type: Type];
}

type ValueOf<T> = T extends 'string'
  ? string
  : T extends 'int'
    ? number
    : T extends 'bool'
      ? boolean
      : T extends 'map'
        ? Record<string, string>
        : T extends { readonly list: infer E }
          ? readonly ValueOf<E>[]
          : T extends Message
            ? Fields<T>
            : never;
/** A message as an object; a field that is absent has its zero value. */
export type Fields<M extends Message> = { readonly [K in keyof M]?: ValueOf<M[K][1]> };

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
const ENTRY = { key: [1, 'string'], value: [2, 'string'] } as const satisfies Message;

export function encode<M extends Message>(message: M, fields: Fields<M>): Buffer {
  const out: Uint8Array[] = [];
  for (const [name, value] of Object.entries(fields)) {
    const field = message[name];
    if (field === undefined) throw new Error(`no field ${name} in this message`);
    if (value !== undefined) put(out, field[0], field[1], value);
  }
  return Buffer.concat(out);
}

function put(out: Uint8Array[], number: number, type: Type, value: unknown): void {
  if (type === 'int' || type === 'bool') out.push(varint(number * 8 + VARINT), varint(Number(value)));
  else if (type === 'string') putBytes(out, number, Buffer.from(value as string));
  else if (type === 'map')
    for (const [key, text] of Object.entries(value as Record<string, string>))
      putBytes(out, number, encode(ENTRY, { key, value: text }));
  else if (isList(type)) for (const each of value as unknown[]) put(out, number, type.list, each);
  else putBytes(out, number, encode(type, value as Fields<Message>));
}

function putBytes(out: Uint8Array[], number: number, bytes: Uint8Array): void {
  out.push(varint(number * 8 + LENGTH), varint(bytes.length), bytes);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

export function decode<M extends Message>(message: M, bytes: Uint8Array): Fields<M> {
  const byNumber = new Map(Object.entries(message).map(([name, [number, type]]) => [number, { name, type }]));
  const fields: Record<string, unknown> = {};
  const at = { bytes, position: 0 };
  while (at.position < bytes.length) {
    const tag = Number(readVarint(at));
    const raw = readRaw(at, tag % 8);
    const known = byNumber.get(Math.floor(tag / 8));
    if (known !== undefined) fields[known.name] = join(known.type, raw, fields[known.name]);
  }
  return fields as Fields<M>;
}

interface Reader {
  readonly bytes: Uint8Array;
  position: number;
}

function readVarint(at: Reader): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = at.bytes[at.position++];
    if (byte === undefined) break;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return BigInt.asIntN(64, value);
  }
  throw new Error('a number without an end in a message');
}

function readRaw(at: Reader, wire: number): bigint | Uint8Array {
  if (wire === VARINT) return readVarint(at);
  const length = wire === LENGTH ? Number(readVarint(at)) : wire === FIXED64 ? 8 : wire === FIXED32 ? 4 : -1;
  const start = at.position;
  at.position += length;
  if (length < 0 || at.position > at.bytes.length) throw new Error('a field beyond the end of its message');
  return at.bytes.subarray(start, at.position);
}

/** The value of a field after one more occurrence of it. */
function join(type: Type, raw: bigint | Uint8Array, before: unknown): unknown {
  if (type === 'int') return Number(raw);
  if (type === 'bool') return raw !== 0n;
  if (type === 'string') return Buffer.from(raw as Uint8Array).toString();
  if (type === 'map') {
    const { key = '', value = '' } = decode(ENTRY, raw as Uint8Array);
    return { ...(before as object), [key]: value };
  }
  if (isList(type)) return [...((before as unknown[]) ?? []), join(type.list, raw, undefined)];
  return decode(type, raw as Uint8Array);
}

function isList(type: Exclude<Type, string>): type is Repeated {
  return 'list' in type && !Array.isArray(type['list']);
}
