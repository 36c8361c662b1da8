import type { KeyPart } from '../model/route.ts';
import { addressGroup } from './address.ts';
import { type KeyHash, LimitKey } from './key.ts';
import type { RateLimit } from './limit.ts';

/** What a key can be made of; the gateway's view of one request. Values are asked for only when a limit needs them. */
export interface KeySource {
  /** `sub` of the verified token, null when nobody is signed in. */
  subject(): string | null;
  /** The client's address, as text. */
  address(): string;
  header(name: string): string | null;
  /** undefined when there is no token or no such claim. */
  claim(name: string): unknown;
}

/** How the key of one limit on one function is put together. Built once per route. */
export class KeyPlan {
  readonly limit: RateLimit;
  /** Depends on the session alone (function, signed-in user, claims): the key may be kept with the session. */
  readonly perSession: boolean;
  readonly #parts: readonly KeyPart[];
  readonly #prefix: string;

  constructor(limit: RateLimit, functionName: string) {
    this.limit = limit;
    this.#parts = limit.spec.key.filter((part) => part.by !== 'function');
    const byFunction = this.#parts.length !== limit.spec.key.length;
    // Without the function in the key, all functions that name this limit are counted together.
    this.#prefix = byFunction ? `${limit.identity}\n${functionName}` : limit.identity;
    this.perSession = this.#parts.every((part) => part.by === 'user' || part.by === 'claim');
  }

  /** Writes the key of this request into `into`. */
  keyOf(source: KeySource, hash: KeyHash, into: LimitKey): LimitKey {
    hash.reset().text(this.#prefix);
    for (const part of this.#parts) this.#add(part, source, hash);
    return hash.finish(into);
  }

  #add(part: KeyPart, source: KeySource, hash: KeyHash): void {
    switch (part.by) {
      case 'function':
        return;
      case 'user': {
        const subject = source.subject();
        if (subject === null) hash.nothing().text(addressGroup(source.address()));
        else hash.text(subject);
        return;
      }
      case 'ip':
        hash.text(addressGroup(source.address()));
        return;
      case 'header':
        addOptional(hash, source.header(part.name));
        return;
      case 'claim':
        addOptional(hash, claimText(source.claim(part.name)));
    }
  }
}

function addOptional(hash: KeyHash, value: string | null): void {
  if (value === null) hash.nothing();
  else hash.text(value);
}

function claimText(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
