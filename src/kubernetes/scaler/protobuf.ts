/** As much of Protocol Buffers' wire format as small messages need: https://protobuf.dev/programming-guides/encoding/ */

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

export interface Field {
  readonly number: number;
  /** Of `WIRE.bytes`; empty for the others, which no message that we read has. */
  readonly bytes: Uint8Array;
}

/** Fields in the order in which they came, known or not. Throws RangeError for what is no message. */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw new RangeError('the message ends within a number');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number has more than ten bytes');
  };
  const take = (length: number): Uint8Array => {
    if (length > message.length - at) throw new RangeError('a field is longer than the message');
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = varint();
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    if (number === 0) throw new RangeError('a field has the number 0');
    let bytes: Uint8Array = message.subarray(0, 0);
    if (wire === WIRE.bytes) bytes = take(varint());
    else if (wire === WIRE.varint) varint();
    else if (wire === WIRE.fixed64) take(8);
    else if (wire === WIRE.fixed32) take(4);
    else throw new RangeError(`fields of wire type ${wire} are not known`);
    yield { number, bytes };
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Throws TypeError for what is no UTF-8. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** A whole number from 0 to 2^53 - 1. */
export function wholeField(number: number, value: number): Buffer {
  return Buffer.concat([tag(number, WIRE.varint), varint(value)]);
}

export function doubleField(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tag(number, WIRE.fixed64), bytes]);
}

/** A text, or a message within a message. */
export function bytesField(number: number, value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([tag(number, WIRE.bytes), varint(bytes.length), bytes]);
}

function tag(number: number, wire: number): Buffer {
  return varint(number * 8 + wire);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return Buffer.from([...bytes, rest]);
}
