/** Writes tar archives (POSIX.1-1988 ustar) that depend on nothing but their content: no times, no owners. */

export interface TarFile {
  /** At most 100 bytes. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly mode?: number;
}

const BLOCK = 512;
const LONGEST_NAME = 100;
/** POSIX: an archive ends with two blocks of zeros. */
const END = Buffer.alloc(2 * BLOCK);

export function writeTar(files: readonly TarFile[]): Buffer<ArrayBuffer> {
  const parts = files.flatMap(({ name, bytes, mode = 0o644 }) => [
    header(name, bytes.length, mode),
    bytes,
    Buffer.alloc(-bytes.length & (BLOCK - 1)),
  ]);
  return Buffer.concat([...parts, END]);
}

function header(name: string, size: number, mode: number): Buffer {
  if (Buffer.byteLength(name) > LONGEST_NAME) throw new Error(`tar: the name is too long: ${name}`);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  writeOctal(block, 100, 8, mode);
  writeOctal(block, 108, 8, 0); // owner
  writeOctal(block, 116, 8, 0); // group
  writeOctal(block, 124, 12, size);
  writeOctal(block, 136, 12, 0); // time
  block.write('0', 156); // a file
  block.write('ustar\x0000', 257, 'latin1');
  // The sum is taken with its own field full of spaces.
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function writeOctal(block: Buffer, at: number, width: number, value: number): void {
  block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
}
