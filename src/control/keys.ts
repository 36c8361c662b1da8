/**
 * Keeps the key set that tokens are verified with up to date: from a file, or from an address that is asked again now and
 * then, and soon when a token names a key that the set lacks. An answer that cannot be used keeps the set that works.
 */
import { readFile } from 'node:fs/promises';
import type { Clock } from '../model/clock.ts';
import { MayflyError } from '../model/errors.ts';
import { parseKeySet, type KeySet } from './key-set.ts';
import { safeFetch } from './safe-fetch.ts';

export type KeyLocation = { readonly file: string } | { readonly url: string; readonly refreshMs: number };

export interface KeySourceOptions {
  readonly location: KeyLocation;
  readonly clock: Clock;
  /** A different set than before. */
  readonly onChange: (keys: KeySet) => void;
  /** A refresh failed; the set stays as it was. */
  readonly onProblem: (error: Error) => void;
  /** At most one fetch for unknown keys in this time, so that tokens with made-up key ids cannot make us hammer the server. */
  readonly cooldownMs?: number;
}

export interface KeySource extends Disposable {
  /** The set as it is now; null until the first one was read. */
  readonly keys: KeySet | null;
  /** Reads the set now. Never rejects: `onProblem` hears of a failure. */
  refresh(): Promise<void>;
  /** A token named this key. Reads the set again unless it has the key, or that was done a moment ago. */
  unknownKey(kid: string): void;
}

const MAX_BYTES = 1024 * 1024;
const TIMEOUT_MS = 10_000;
/** How soon an address is asked again while there is no set at all. */
const FIRST_RETRY_MS = 2000;

/** What a read found; null: nothing new (RFC 9110 §13, 304). */
type Read = () => Promise<string | null>;

/** Starts to follow the location; the first set is there once `refresh()` resolves. */
export function followKeys(options: KeySourceOptions): KeySource {
  const { location, clock, onChange, onProblem, cooldownMs = 10_000 } = options;
  const where = 'file' in location ? location.file : location.url;
  const read = 'file' in location ? fileReader(location.file) : urlReader(location.url);
  let keys: KeySet | null = null;
  let running: Promise<void> | null = null;
  let lastStart = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const readOnce = async (): Promise<void> => {
    lastStart = clock.now();
    try {
      const text = await read();
      if (text === null || stopped) return;
      const found = parseKeySet(text, where);
      if (JSON.stringify(found) === JSON.stringify(keys)) return;
      keys = found;
      onChange(found);
    } catch (error) {
      if (!stopped) onProblem(error as Error);
    }
  };

  const schedule = () => {
    clearTimeout(timer);
    if (stopped || 'file' in location) return;
    const pause = keys === null ? Math.min(FIRST_RETRY_MS, location.refreshMs) : location.refreshMs;
    timer = setTimeout(() => void refresh(), pause);
    timer.unref();
  };

  const refresh = (): Promise<void> => {
    running ??= readOnce().finally(() => {
      running = null;
      schedule();
    });
    return running;
  };

  return {
    get keys() {
      return keys;
    },
    refresh,
    unknownKey(kid) {
      if (keys?.keys.some((key) => key['kid'] === kid)) return;
      if (running === null && clock.now() - lastStart >= cooldownMs) void refresh();
    },
    [Symbol.dispose]() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

function fileReader(file: string): Read {
  return async () => {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      throw new MayflyError(`Cannot read the key set: ${(error as Error).message}`, {
        where: file,
        code: 'key-set-unreadable',
        cause: error,
      });
    }
  };
}

/** Sends back what the server said about the version that we have, so that it need not send it again. */
function urlReader(url: string): Read {
  let validators: Record<string, string> = {};
  return async () => {
    try {
      const headers = { accept: 'application/jwk-set+json, application/json', ...validators };
      const response = await safeFetch(url, headers, AbortSignal.timeout(TIMEOUT_MS));
      if (response.status === 304) return null;
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      const text = await readLimited(response);
      parseKeySet(text, url);
      validators = validatorsOf(response.headers);
      return text;
    } catch (error) {
      if (error instanceof MayflyError) throw error;
      const cause = (error as { cause?: Error }).cause ?? (error as Error);
      throw new MayflyError(`Cannot fetch the key set: ${cause.message}`, {
        where: url,
        code: 'key-set-unreachable',
        cause: error,
      });
    }
  };
}

function validatorsOf(headers: Headers): Record<string, string> {
  const etag = headers.get('etag');
  const modified = headers.get('last-modified');
  return {
    ...(etag === null ? {} : { 'if-none-match': etag }),
    ...(modified === null ? {} : { 'if-modified-since': modified }),
  };
}

async function readLimited(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
