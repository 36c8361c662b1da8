/** Reads tar archives that anybody may have written: ustar, pax and GNU's long names. Nothing is ever unpacked to disk. */
import { limits } from './limits.ts';
import { badImage } from './refusal.ts';

export interface TarEntry {
  /** Relative, without `.` and `..`, parts joined by `/`; empty for the root itself. */
  readonly name: string;
  readonly type: 'file' | 'folder' | 'link' | 'other';
  readonly mode: number;
  /** A view into the archive. */
  readonly bytes: Uint8Array;
}

const BLOCK = 512;
const utf8 = new TextDecoder('utf-8', { fatal: true });

interface Extended {
  path?: string | undefined;
  size?: number | undefined;
}

/** Throws MayflyError `bad-image` for what is not a whole tar, and for names that lead out of it. */
export function* readTar(archive: Uint8Array, where: string): Generator<TarEntry> {
  const refuse = (what: string) => badImage(`a tar in it ${what}`, where);
  let shared: Extended = {};
  let next: Extended = {};
  let entries = 0;
  for (let at = 0; at < archive.length;) {
    const block = archive.subarray(at, at + BLOCK);
    if (block.length < BLOCK) throw refuse('ends in the middle of an entry');
    if (block.every((byte) => byte === 0)) return;
    if (++entries > limits.entries) throw refuse(`has more than ${limits.entries} entries`);
    if (checksum(block) !== octal(block, 148, 8)) throw refuse('has a damaged entry');
    const kind = String.fromCharCode(block[156] as number);
    const meta = kind === 'x' || kind === 'g' || kind === 'L' || kind === 'K';
    const extended: Extended = meta ? {} : { ...shared, ...next };
    const size = extended.size ?? numeric(block, 124, 12);
    if (size === null || size > archive.length - at - BLOCK) throw refuse('ends in the middle of an entry');
    const bytes = archive.subarray(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    if (kind === 'g') shared = { ...shared, ...pax(bytes, refuse) };
    else if (kind === 'x') next = { ...next, ...pax(bytes, refuse) };
    else if (kind === 'L') next = { ...next, path: text(bytes, refuse) };
    if (meta) continue;
    next = {};
    const name = safeName(extended.path ?? ustarName(block, refuse), refuse);
    yield { name, type: typeOf(kind), mode: octal(block, 100, 8) ?? 0, bytes };
  }
}

type Refuse = (what: string) => Error;

function typeOf(kind: string): TarEntry['type'] {
  if (kind === '0' || kind === '\0' || kind === '7') return 'file';
  if (kind === '5') return 'folder';
  return kind === '1' || kind === '2' ? 'link' : 'other';
}

function safeName(name: string, refuse: Refuse): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || name.includes('\0')) {
    throw refuse(`has an entry that leads out of it: ${JSON.stringify(name.slice(0, 100))}`);
  }
  return parts.join('/');
}

function ustarName(block: Uint8Array, refuse: Refuse): string {
  const name = text(block.subarray(0, 100), refuse);
  const isUstar = Buffer.from(block.subarray(257, 263)).toString('latin1') === 'ustar\0';
  const prefix = isUstar ? text(block.subarray(345, 500), refuse) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Bytes up to the first NUL. */
function text(bytes: Uint8Array, refuse: Refuse): string {
  const end = bytes.indexOf(0);
  try {
    return utf8.decode(end < 0 ? bytes : bytes.subarray(0, end));
  } catch {
    throw refuse('has a name that is not UTF-8');
  }
}

/** Records `<length> <key>=<value>\n`, where the length counts the whole record. */
function pax(bytes: Uint8Array, refuse: Refuse): Extended {
  const found: Extended = {};
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? '' : Buffer.from(bytes.subarray(at, space)).toString('latin1');
    const length = /^\d{1,9}$/.test(digits) ? Number(digits) : 0;
    const equals = bytes.indexOf(0x3d, space);
    const end = at + length;
    if (end <= space + 1 || end > bytes.length || equals < 0 || equals >= end || bytes[end - 1] !== 0x0a) {
      throw refuse('has a damaged pax header');
    }
    const key = Buffer.from(bytes.subarray(space + 1, equals)).toString('latin1');
    const value = bytes.subarray(equals + 1, end - 1);
    if (key === 'path') found.path = text(value, refuse);
    else if (key === 'size') {
      const size = Buffer.from(value).toString('latin1');
      if (!/^\d{1,15}$/.test(size)) throw refuse('has a damaged pax header');
      found.size = Number(size);
    }
    at = end;
  }
  return found;
}

/** An octal field, or GNU's base-256 for what does not fit; null when it is neither. */
function numeric(block: Uint8Array, at: number, width: number): number | null {
  if (((block[at] as number) & 0x80) === 0) return octal(block, at, width);
  let value = (block[at] as number) & 0x7f;
  for (let index = at + 1; index < at + width; index++) value = value * 256 + (block[index] as number);
  return Number.isSafeInteger(value) ? value : null;
}

function octal(block: Uint8Array, at: number, width: number): number | null {
  const digits = Buffer.from(block.subarray(at, at + width))
    .toString('latin1')
    .replaceAll(/[\0 ]+$/g, '')
    .trimStart();
  if (digits === '') return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : null;
}

function checksum(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let index = 0; index < BLOCK; index++) {
    if (index < 148 || index >= 156) sum += block[index] as number;
  }
  return sum;
}
