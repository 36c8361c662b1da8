import { randomInt } from 'node:crypto';
import type { Session } from './session.ts';

/** Bytes at the end of a token that its hash is taken from: the signature, as good as random. */
const HASHED_BYTES = 24;
/** What an entry takes beside its texts, roughly. */
const ENTRY_BYTES = 1024;

interface Entry {
  readonly bytes: Buffer;
  readonly session: Session;
}

/**
 * Verified tokens of one thread, looked up by the raw bytes of the Authorization value: a hit makes no string.
 * The hash only finds the candidate; all bytes are compared. Two generations bound the memory: when the young one is
 * full it becomes the old one, and what was in the old one and not used since is dropped. What is in use survives.
 */
export class TokenCache {
  readonly #generationBytes: number;
  readonly #seed = randomInt(2 ** 31);
  #young = new Map<number, Entry>();
  #old = new Map<number, Entry>();
  #youngBytes = 0;

  constructor(maxBytes: number) {
    this.#generationBytes = maxBytes / 2;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(bytes: Buffer, start: number, end: number, nowMs: number): Session | null {
    const hash = this.#hash(bytes, start, end);
    let entry = this.#young.get(hash);
    if (entry === undefined || !isSame(entry, bytes, start, end)) {
      entry = this.#old.get(hash);
      if (entry === undefined || !isSame(entry, bytes, start, end)) return null;
      this.#old.delete(hash);
      this.#put(hash, entry);
    }
    return entry.session.expiresAtMs > nowMs ? entry.session : null;
  }

  /** `bytes` is kept: pass a copy. */
  set(bytes: Buffer, session: Session): void {
    this.#put(this.#hash(bytes, 0, bytes.length), { bytes, session });
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#youngBytes = 0;
  }

  #put(hash: number, entry: Entry): void {
    if (this.#youngBytes >= this.#generationBytes) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    // An entry with the same hash is replaced; its bytes stay counted until the generation ends.
    this.#young.set(hash, entry);
    this.#youngBytes += ENTRY_BYTES + entry.bytes.length + 3 * entry.session.json.length;
  }

  #hash(bytes: Buffer, start: number, end: number): number {
    let hash = this.#seed;
    for (let at = Math.max(start, end - HASHED_BYTES); at < end; at++)
      hash = (Math.imul(hash, 31) + bytes[at]) | 0;
    return hash;
  }
}

function isSame(entry: Entry, bytes: Buffer, start: number, end: number): boolean {
  return (
    entry.bytes.length === end - start && bytes.compare(entry.bytes, 0, entry.bytes.length, start, end) === 0
  );
}
