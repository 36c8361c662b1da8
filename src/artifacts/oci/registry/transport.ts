/** A request to a registry until it is answered: follows redirects, and tries again what may pass. */
import { staysSafe } from '../../../model/safe-way.ts';
import { setTimeout as pause } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { MayflyError } from '../../../model/errors.ts';
import { badImage } from '../refusal.ts';
import type { Reference } from '../reference.ts';
import type { Environment } from './credentials.ts';
import { isCertificateProblem, unreachable } from './failure.ts';
import { type Answer, AnswerTooLarge, type Ask, ConnectionLost, createDispatcher, exchange } from './http.ts';
import { askedPause, isPassing, MAX_ATTEMPTS, pauseBefore } from './retry.ts';

export interface TransportOptions {
  readonly env: Environment;
  /** PEM certificates to trust besides the system's. */
  readonly ca?: string | null | undefined;
  /** For tests: waits between attempts. */
  readonly sleep?: ((milliseconds: number) => Promise<unknown>) | undefined;
}

/** What is asked, apart from where. */
export interface Message {
  readonly method: Ask['method'];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  readonly most?: number;
  /** A connection that is lost, or a passing failure, is not tried again here. */
  readonly once?: boolean;
  /** The body says who we are: no other host gets it. */
  readonly isSecret?: boolean;
}

const SMALL_ANSWER = 64 * 1024;
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export class Transport {
  readonly #reference: Pick<Reference, 'registry' | 'repository'>;
  readonly #dispatcher: Dispatcher;
  readonly #sleep: (milliseconds: number) => Promise<unknown>;

  constructor(reference: Pick<Reference, 'registry' | 'repository'>, options: TransportOptions) {
    this.#reference = reference;
    this.#dispatcher = createDispatcher({ ca: options.ca ?? null, env: options.env });
    this.#sleep = options.sleep ?? ((milliseconds) => pause(milliseconds));
  }

  /** `host/repository`, for messages. */
  get label(): string {
    return `${this.#reference.registry}/${this.#reference.repository}`;
  }

  async pauseBefore(attempt: number): Promise<void> {
    await this.#sleep(pauseBefore(attempt, Math.random()));
  }

  /**
   * An answer below 500, or MayflyError. With `once` also ConnectionLost, and any status. `authorization` is told to the
   * origin of `base` only.
   */
  async ask(message: Message, url: URL, base: URL, authorization: string | null): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      let wait: number | null = null;
      try {
        const answer = await this.#follow(message, url, base, authorization);
        if (message.once === true || !isPassing(answer.status) || attempt === MAX_ATTEMPTS) return answer;
        wait = askedPause(answer, Date.now());
      } catch (error) {
        if (!(error instanceof ConnectionLost) || message.once === true) throw error;
        if (attempt >= attemptsFor(error)) throw unreachable(error, this.#reference.registry);
      }
      await this.#sleep(wait ?? pauseBefore(attempt, Math.random()));
    }
  }

  /** Follows redirects; who we are is told to the registry itself and to nobody else. */
  async #follow(message: Message, start: URL, base: URL, authorization: string | null): Promise<Answer> {
    let url = start;
    for (let hop = 0; ; hop++) {
      if (!mayAsk(url, base, message)) throw this.#astray(url.href);
      const own = url.origin === base.origin && authorization !== null;
      const answer = await this.#exchange({
        method: message.method,
        url,
        headers: { 'user-agent': 'mayfly', ...message.headers, ...(own && { authorization }) },
        body: message.body,
        most: message.most ?? SMALL_ANSWER,
      });
      const location = answer.header('location');
      const isRedirect = REDIRECTS.has(answer.status) && location !== undefined;
      if (!isRedirect) return answer;
      const keepsBody = answer.status >= 307 || message.method === 'GET' || message.method === 'HEAD';
      if (!keepsBody || hop === MAX_REDIRECTS || !URL.canParse(location, url)) throw this.#astray(location);
      url = new URL(location, url);
    }
  }

  #astray(location: string): MayflyError {
    return new MayflyError('Cannot follow the registry: it redirects to where nobody should go', {
      where: `${this.label}, ${location.slice(0, 100)}`,
      code: 'registry-failed',
    });
  }

  async #exchange(ask: Ask): Promise<Answer> {
    try {
      return await exchange(this.#dispatcher, ask);
    } catch (error) {
      if (error instanceof AnswerTooLarge) throw badImage(`the registry sends ${error.message}`, this.label);
      throw error;
    }
  }
}

/** Some failures would be the same the next time; where nobody listens, somebody may be about to. */
function attemptsFor(lost: ConnectionLost): number {
  if (isCertificateProblem(lost) || /SSL|EPROTO|ENOTFOUND|ERR_INVALID/.test(lost.reason)) return 1;
  return lost.reason === 'ECONNREFUSED' ? 3 : MAX_ATTEMPTS;
}

/** Nothing that began over TLS goes on over plain HTTP, wherever the registry points to. */
function mayAsk(url: URL, base: URL, { isSecret = false }: Message): boolean {
  if (isSecret && url.origin !== base.origin) return false;
  return staysSafe(base, url);
}
