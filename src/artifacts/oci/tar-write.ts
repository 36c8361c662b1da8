/** Writes tar archives (POSIX.1-1988 ustar) that depend on nothing but their content: no times, no owners. */

export interface TarFile {
  /**
   * At most 100 bytes, or up to 155 more where a `/` parts them so. With a `/` at its end it is a folder; those that only
   * lie on the way to files need not be said.
   */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly mode?: number;
}

const BLOCK = 512;
const LONGEST_NAME = 100;
const LONGEST_PREFIX = 155;
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
  const { prefix, rest } = parted(name);
  const block = Buffer.alloc(BLOCK);
  block.write(rest, 0);
  writeOctal(block, 100, 8, mode);
  writeOctal(block, 108, 8, 0); // owner
  writeOctal(block, 116, 8, 0); // group
  writeOctal(block, 124, 12, size);
  writeOctal(block, 136, 12, 0); // time
  block.write(name.endsWith('/') ? '5' : '0', 156); // a folder, a file
  block.write('ustar\x0000', 257, 'latin1');
  block.write(prefix, 345);
  // The sum is taken with its own field full of spaces.
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** The shortest prefix that leaves a name which fits. */
function parted(name: string): { readonly prefix: string; readonly rest: string } {
  let at = -1;
  for (;;) {
    const [prefix, rest] = [name.slice(0, Math.max(at, 0)), name.slice(at + 1)];
    if (Buffer.byteLength(rest) <= LONGEST_NAME && Buffer.byteLength(prefix) <= LONGEST_PREFIX)
      return { prefix, rest };
    at = name.indexOf('/', at + 1);
    if (at < 0 || at === name.length - 1) throw new Error(`tar: the name is too long: ${name}`);
  }
}

function writeOctal(block: Buffer, at: number, width: number, value: number): void {
  block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
}
