/** Speaks to one repository of a registry: finds out how, and signs in. */
import { MayflyError } from '../../../model/errors.ts';
import type { Reference } from '../reference.ts';
import { parseChallenges } from './challenge.ts';
import { type Credentials, findCredentials } from './credentials.ts';
import { failed, isCertificateProblem, unreachable } from './failure.ts';
import { type Answer, ConnectionLost } from './http.ts';
import { createTokenSource, type TokenSource } from './tokens.ts';
import { type Message, Transport, type TransportOptions } from './transport.ts';

export interface RegistryOptions extends TransportOptions {
  /** Speak HTTP without TLS. A registry on this machine may do so without being asked. */
  readonly plainHttp?: boolean | undefined;
}

export interface Call extends Message {
  /** A path below `/v2/<repository>/`, or a whole URL that the registry gave. */
  readonly to: string | URL;
  /** `pull` or `pull,push`. */
  readonly access: 'pull' | 'pull,push';
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

interface Connected {
  readonly base: URL;
  readonly tokens: TokenSource;
}

export class RegistryClient {
  readonly #reference: Pick<Reference, 'registry' | 'repository'>;
  readonly #options: RegistryOptions;
  readonly #transport: Transport;
  readonly #scopeExtras = new Set<string>();
  #connected: Promise<Connected> | null = null;
  #credentials: Promise<Credentials | null> | null = null;

  constructor(reference: Pick<Reference, 'registry' | 'repository'>, options: RegistryOptions) {
    this.#reference = reference;
    this.#options = options;
    this.#transport = new Transport(reference, options);
  }

  get label(): string {
    return this.#transport.label;
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
    let answer = await this.#transport.ask(call, url, base, await tokens.header(scope));
    if (answer.status === 401) {
      // The token may have expired on the way; once more with a new one.
      tokens.forget(scope);
      answer = await this.#transport.ask(call, url, base, await tokens.header(scope));
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
    await this.#transport.pauseBefore(attempt);
  }

  #scopeOf({ access }: Call): string {
    const own = `repository:${this.#reference.repository}:${access}`;
    return [own, ...this.#scopeExtras].join(' ');
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
        this.#transport.ask(
          { ...ask, headers, body: asBytes(body), isSecret: body !== undefined },
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
    const message: Message = { method: 'GET', once: others.length > 0 };
    try {
      return { base, answer: await this.#transport.ask(message, base, base, null) };
    } catch (error) {
      if (others.length === 0 || !(error instanceof ConnectionLost)) throw error;
      if (isCertificateProblem(error)) throw unreachable(error, this.registry);
      return this.#ping(others);
    }
  }
}

function asBytes(body: Uint8Array | string | undefined): Uint8Array | undefined {
  return typeof body === 'string' ? Buffer.from(body) : body;
}
