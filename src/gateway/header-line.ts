/** A header line as bytes, CRLF included. Both parts are ours: they are not checked. */
export function headerLine(name: string, value: string): Buffer {
  return Buffer.from(`${name}: ${value}\r\n`, 'latin1');
}
