import { STATUS_CODES } from 'node:http';

const lines: Buffer[] = [];
for (let status = 200; status < 600; status++) {
  lines.push(Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`));
}

/** `HTTP/1.1 200 OK\r\n` for a status of 200..599. */
export function statusLine(status: number): Buffer {
  const line = lines[status - 200];
  if (line === undefined) throw new RangeError(`Cannot answer with status ${status}: it must be 200 to 599`);
  return line;
}
