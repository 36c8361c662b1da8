/** A response frame of the guest ABI. */
export function responseFrame(
  status: number,
  headers: readonly (readonly [string, string])[],
  body: string | Buffer,
): Buffer {
  const entries = headers.map(([name, value]) => {
    const lengths = Buffer.alloc(4);
    lengths.writeUInt16LE(name.length, 0);
    lengths.writeUInt16LE(value.length, 2);
    return Buffer.concat([lengths, Buffer.from(name + value, 'latin1')]);
  });
  const block = Buffer.concat(entries);
  const content = Buffer.from(body);
  const head = Buffer.alloc(16);
  head[0] = 1;
  head.writeUInt16LE(status, 2);
  head.writeUInt16LE(headers.length, 4);
  head.writeUInt32LE(block.length, 8);
  head.writeUInt32LE(content.length, 12);
  return Buffer.concat([head, block, content]);
}

/** The body of a request frame. */
export function bodyOf(frame: Buffer): Buffer {
  const start = frame.readUInt32LE(28);
  return frame.subarray(start, start + frame.readUInt32LE(32));
}
