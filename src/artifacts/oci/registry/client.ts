/** Speaks to one repository of a registry: finds out how, signs in, follows redirects, tries again. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { MayflyError } from '../../../model/errors.ts';
import { badImage } from '../refusal.ts';
import type { Reference } from '../reference.ts';
import { parseChallenges } from './challenge.ts';
import { type Credentials, type Environment, findCredentials } from './credentials.ts';
import { failed, isCertificateProblem, unreachable } from './failure.ts';
import { type Answer, AnswerTooLarge, type Ask, ConnectionLost, createDispatcher, exchange } from './http.ts';
import { askedPause, isPassing, MAX_ATTEMPTS, pauseBefore } from './retry.ts';
import { createTokenSource, type TokenSource } from './tokens.ts';

export interface RegistryOptions {
  readonly env: Environment;
  /** Speak HTTP without TLS. A registry on this machine may do so without being asked. */
  readonly plainHttp?: boolean | undefined;
  /** PEM certificates to trust besides the system's. */
  readonly ca?: string | null | undefined;
  /** For tests: waits between attempts. */
  readonly sleep?: ((milliseconds: number) => Promise<unknown>) | undefined;
}

export interface Call {
  readonly method: Ask['method'];
  /** A path below `/v2/<repository>/`, or a whole URL that the registry gave. */
  readonly to: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  readonly most?: number;
  /** `pull` or `pull,push`. */
  readonly access: 'pull' | 'pull,push';
  /** A connection that is lost, or a passing failure, is not tried again here. */
  readonly once?: boolean;
  /** The body says who we are: no other host gets it. */
  readonly isSecret?: boolean;
}

const SMALL_ANSWER = 64 * 1024;
const MAX_REDIRECTS = 5;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

interface Connected {
  readonly base: URL;
  readonly tokens: TokenSource;
}

export class RegistryClient {
  readonly #reference: Pick<Reference, 'registry' | 'repository'>;
  readonly #options: RegistryOptions;
  readonly #dispatcher: Dispatcher;
  readonly #sleep: (milliseconds: number) => Promise<unknown>;
  readonly #scopeExtras = new Set<string>();
  #connected: Promise<Connected> | null = null;
  #credentials: Promise<Credentials | null> | null = null;

  constructor(reference: Pick<Reference, 'registry' | 'repository'>, options: RegistryOptions) {
    this.#reference = reference;
    this.#options = options;
    this.#dispatcher = createDispatcher({ ca: options.ca ?? null, env: options.env });
    this.#sleep = options.sleep ?? ((milliseconds) => pause(milliseconds));
  }

  get label(): string {
    return `${this.#reference.registry}/${this.#reference.repository}`;
  }

  get registry(): string {
    return this.#reference.registry;
  }

  /** Tokens are asked to allow reading another repository as well, for a mount from there. */
  alsoPull(repository: string): void {
    this.#scopeExtras.add(`repository:${repository}:pull`);
  }

  /** An answer below 500 that is not 401, or MayflyError. With `once` also ConnectionLost, and any status. */
  async send(call: Call): Promise<Answer> {
    const { base, tokens } = await this.#connect();
    const url =
      typeof call.to === 'string' ? new URL(`${this.#reference.repository}/${call.to}`, base) : call.to;
    const scope = this.#scopeOf(call);
    let answer = await this.#attempt(call, url, base, await tokens.header(scope));
    if (answer.status === 401) {
      // The token may have expired on the way; once more with a new one.
      tokens.forget(scope);
      answer = await this.#attempt(call, url, base, await tokens.header(scope));
    }
    return answer;
  }

  error(answer: Answer, doing: string): MayflyError {
    return failed(answer, doing, this.label);
  }

  lost(error: unknown): unknown {
    return error instanceof ConnectionLost ? unreachable(error, this.registry) : error;
  }

  async pauseBefore(attempt: number): Promise<void> {
    await this.#sleep(pauseBefore(attempt, Math.random()));
  }

  #scopeOf({ access }: Call): string {
    const own = `repository:${this.#reference.repository}:${access}`;
    return [own, ...this.#scopeExtras].join(' ');
  }

  async #attempt(call: Call, url: URL, base: URL, authorization: string | null): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      let wait: number | null = null;
      try {
        const answer = await this.#follow(call, url, base, authorization);
        if (call.once === true || !isPassing(answer.status) || attempt === MAX_ATTEMPTS) return answer;
        wait = askedPause(answer, Date.now());
      } catch (error) {
        if (!(error instanceof ConnectionLost) || call.once === true) throw error;
        if (attempt >= attemptsFor(error)) throw unreachable(error, this.registry);
      }
      await this.#sleep(wait ?? pauseBefore(attempt, Math.random()));
    }
  }

  /** Follows redirects; who we are is told to the registry itself and to nobody else. */
  async #follow(call: Call, start: URL, base: URL, authorization: string | null): Promise<Answer> {
    let url = start;
    for (let hop = 0; ; hop++) {
      if (!mayAsk(url, base, call)) throw this.#astray(url.href);
      const own = url.origin === base.origin && authorization !== null;
      const answer = await this.#exchange({
        method: call.method,
        url,
        headers: { 'user-agent': 'mayfly', ...call.headers, ...(own && { authorization }) },
        body: call.body,
        most: call.most ?? SMALL_ANSWER,
      });
      const location = answer.header('location');
      const isRedirect = [301, 302, 303, 307, 308].includes(answer.status) && location !== undefined;
      if (!isRedirect) return answer;
      const keepsBody = answer.status >= 307 || call.method === 'GET' || call.method === 'HEAD';
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

  #connect(): Promise<Connected> {
    this.#connected ??= this.#findBase().catch((error: unknown) => {
      this.#connected = null;
      throw error;
    });
    return this.#connected;
  }

  async #findBase(): Promise<Connected> {
    const { registry, repository } = this.#reference;
    const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
    const https = new URL(`https://${host}/v2/`);
    const http = new URL(`http://${host}/v2/`);
    const { base, answer } =
      this.#options.plainHttp === true
        ? await this.#ping([http])
        : await this.#ping(LOOPBACK.test(host) ? [https, http] : [https]);
    if (answer.status !== 200 && answer.status !== 401) {
      throw new MayflyError(`Cannot use the registry: its /v2/ answers ${answer.status}`, {
        where: registry,
        fix: 'Check the host and the port: this may not be a registry.',
        code: 'registry-failed',
      });
    }
    const challenges = parseChallenges(answer.header('www-authenticate') ?? '');
    const challenge =
      answer.status === 200
        ? null
        : (challenges.find(({ scheme }) => scheme === 'bearer') ??
          challenges.find(({ scheme }) => scheme === 'basic') ??
          null);
    const tokens = createTokenSource({
      challenge,
      registry,
      plainHttp: base.protocol === 'http:',
      credentials: () => (this.#credentials ??= findCredentials(registry, repository, this.#options.env)),
      send: ({ url, body, headers: { authorization, ...headers }, ...ask }) =>
        this.#attempt(
          { ...ask, to: url, headers, body: asBytes(body), access: 'pull', isSecret: body !== undefined },
          url,
          url,
          authorization ?? null,
        ),
      now: () => Date.now(),
    });
    return { base, tokens };
  }

  /** The first of these addresses where somebody answers. A certificate that does not convince is no reason to go on without. */
  async #ping(addresses: readonly URL[]): Promise<{ base: URL; answer: Answer }> {
    const [base, ...others] = addresses as [URL, ...URL[]];
    const call: Call = { method: 'GET', to: base, access: 'pull', once: others.length > 0 };
    try {
      return { base, answer: await this.#attempt(call, base, base, null) };
    } catch (error) {
      if (others.length === 0 || !(error instanceof ConnectionLost)) throw error;
      if (isCertificateProblem(error)) throw unreachable(error, this.registry);
      return this.#ping(others);
    }
  }
}

/** Nothing that began over TLS goes on over plain HTTP, wherever the registry points to. */
function mayAsk(url: URL, base: URL, { isSecret = false }: Call): boolean {
  if (isSecret && url.origin !== base.origin) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && base.protocol === 'http:');
}

/** Some failures would be the same the next time; where nobody listens, somebody may be about to. */
function attemptsFor(lost: ConnectionLost): number {
  if (isCertificateProblem(lost) || /SSL|EPROTO|ENOTFOUND|ERR_INVALID/.test(lost.reason)) return 1;
  return lost.reason === 'ECONNREFUSED' ? 3 : MAX_ATTEMPTS;
}

function asBytes(body: Uint8Array | string | undefined): Uint8Array | undefined {
  return typeof body === 'string' ? Buffer.from(body) : body;
}
