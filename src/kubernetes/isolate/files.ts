/**
 * Files beside the configuration: modules and policies. They are in ConfigMaps whose names the pods know beforehand, so that
 * none of them has to start again for a file that is new.
 */
import { createHash } from 'node:crypto';

export interface PlacedFile {
  /** With a hash of what is in it: another content is another file. */
  readonly name: string;
  /** Text, or bytes as base64. */
  readonly content: { readonly text: string } | { readonly base64: string };
  readonly bytes: number;
}

/** ConfigMaps for files, and what one of them takes (its limit of 1 MiB with room for the rest of the object). */
export const FILE_MAPS = 8;
const ROOM = 900 * 1024;

/** Policies with the same rules share it: rules that are compiled twice contradict themselves. */
export function policyFile(rego: string): PlacedFile {
  const content = { text: rego };
  return { name: `${hashOf(rego)}.rego`, content, bytes: Buffer.byteLength(rego) };
}

export function moduleFile(functionName: string, source: string): PlacedFile {
  // There is more than one way to write the last bytes; the API server gives back this one.
  const bytes = Buffer.from(source, 'base64');
  const base64 = bytes.toString('base64');
  return { name: `${functionName}.${hashOf(base64)}.wasm`, content: { base64 }, bytes: bytes.length };
}

/** `name`: what pods look for. */
export function compiledFile(name: string, bytes: Uint8Array): PlacedFile {
  return { name, content: { base64: Buffer.from(bytes).toString('base64') }, bytes: bytes.length };
}

export function pemFile(name: string, pem: string): PlacedFile {
  const content = { text: pem };
  return { name: `${name}.${hashOf(pem)}.pem`, content, bytes: Buffer.byteLength(pem) };
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

interface FileMap {
  readonly files: Map<string, PlacedFile>;
  bytes: number;
}

/** Each file goes into the first ConfigMap that has room for it. */
export class Shelf {
  readonly #maps: FileMap[] = Array.from({ length: FILE_MAPS }, () => ({ files: new Map(), bytes: 0 }));

  /** All of them or, where there is not room for all, none. */
  place(files: readonly PlacedFile[]): boolean {
    const placed: [FileMap, PlacedFile][] = [];
    for (const file of files) {
      if (this.#maps.some((map) => map.files.has(file.name))) continue;
      const map = this.#maps.find(({ bytes }) => bytes + file.bytes <= ROOM);
      if (map === undefined) {
        for (const [taken, { name, bytes }] of placed) {
          taken.files.delete(name);
          taken.bytes -= bytes;
        }
        return false;
      }
      map.files.set(file.name, file);
      map.bytes += file.bytes;
      placed.push([map, file]);
    }
    return true;
  }

  /** By the number of their ConfigMap; those that stay empty are not needed. */
  get maps(): readonly (readonly PlacedFile[])[] {
    return this.#maps.map(({ files }) => [...files.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)));
  }
}
