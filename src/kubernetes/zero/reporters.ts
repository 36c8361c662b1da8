/**
 * Who may report what gateways have: whoever shows a token of a ServiceAccount that the API server vouches for, made for
 * nothing but this, for Functions of its own namespace. Verdicts are remembered, and asked for in small numbers: a flood of
 * made-up tokens must not become a flood at the API server.
 */
import { createHash } from 'node:crypto';
import type { Cluster } from '../cluster/cluster.ts';

/** What the tokens are made for (`aud`), and nothing else takes. */
export const DEMAND_AUDIENCE = 'mayfly-demand';

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/** null: nobody vouches for it. Rejects when it cannot be found out now. */
export type ReviewToken = (token: string) => Promise<ServiceAccount | null>;

export interface ReportersOptions {
  readonly review: ReviewToken;
  now(): number;
  /** `NAMESPACE/NAME` of ServiceAccounts that may speak of every namespace. */
  readonly everywhere?: readonly string[];
  /** Called once when tokens can no longer be verified, not for each. */
  onProblem(error: Error): void;
}

/** Namespaces that a reporter may speak of; `unknown`: nobody vouches for it; `later`: it cannot be found out now. */
export type Standing = { readonly namespace: string | 'every' } | 'unknown' | 'later';

/** A token that is taken back is believed for so long, milliseconds; one that is refused is not asked about again for so long. */
const BELIEVED_MS = 60_000;
const REFUSED_MS = 10_000;
/** At once, and in a second: a thousand gateways are verified in half a minute. */
const MOST_AT_ONCE = 8;
const MOST_IN_A_SECOND = 50;
const MOST_REMEMBERED = 10_000;
/** Tokens of Kubernetes have about 1 KB. */
const LONGEST_TOKEN = 8192;

interface Verdict {
  readonly standing: Exclude<Standing, 'later'>;
  readonly until: number;
}

export class Reporters {
  readonly #options: ReportersOptions;
  /** By SHA-256 of the token: tokens themselves are not kept. */
  readonly #verdicts = new Map<string, Verdict>();
  readonly #underWay = new Map<string, Promise<Standing>>();
  #second = 0;
  #asked = 0;
  #isFailing = false;

  constructor(options: ReportersOptions) {
    this.#options = options;
  }

  /** `authorization`: the field of the request (RFC 6750 §2.1). */
  async standingOf(authorization: string | undefined): Promise<Standing> {
    const [, token] = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? '') ?? [];
    if (token === undefined || token.length > LONGEST_TOKEN) return 'unknown';
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#verdicts.get(key);
    if (known !== undefined && known.until > this.#options.now()) return known.standing;
    const asked = this.#underWay.get(key);
    if (asked !== undefined) return await asked;
    if (!this.#mayAsk()) return 'later';
    const asking = this.#ask(token, key).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, asking);
    return await asking;
  }

  #mayAsk(): boolean {
    const second = Math.floor(this.#options.now() / 1000);
    if (second !== this.#second) [this.#second, this.#asked] = [second, 0];
    if (this.#underWay.size >= MOST_AT_ONCE || this.#asked >= MOST_IN_A_SECOND) return false;
    this.#asked++;
    return true;
  }

  async #ask(token: string, key: string): Promise<Standing> {
    const { review, now, everywhere = [], onProblem } = this.#options;
    try {
      const account = await review(token);
      this.#isFailing = false;
      const standing = account === null ? 'unknown' : { namespace: placeOf(account, everywhere) };
      this.#verdicts.delete(key);
      this.#verdicts.set(key, {
        standing,
        until: now() + (standing === 'unknown' ? REFUSED_MS : BELIEVED_MS),
      });
      this.#forgetOldest();
      return standing;
    } catch (error) {
      if (!this.#isFailing) onProblem(error as Error);
      this.#isFailing = true;
      return 'later';
    }
  }

  #forgetOldest(): void {
    if (this.#verdicts.size <= MOST_REMEMBERED) return;
    const [oldest] = this.#verdicts.keys();
    if (oldest !== undefined) this.#verdicts.delete(oldest);
  }
}

function placeOf({ namespace, name }: ServiceAccount, everywhere: readonly string[]): string {
  return everywhere.includes(`${namespace}/${name}`) ? 'every' : namespace;
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([a-z0-9-]+):([a-z0-9.-]+)$/;

/** Asks the API server (https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/). */
export function reviewWith(cluster: Pick<Cluster, 'create'>): ReviewToken {
  return async (token) => {
    const { status } = (await cluster.create({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: { name: '' },
      spec: { token, audiences: [DEMAND_AUDIENCE] },
    })) as { status?: ReviewStatus };
    // A server that knows nothing of audiences names none.
    if (status?.authenticated !== true || status.audiences?.includes(DEMAND_AUDIENCE) !== true) return null;
    const [, namespace, name] = SERVICE_ACCOUNT.exec(status.user?.username ?? '') ?? [];
    return namespace === undefined || name === undefined ? null : { namespace, name };
  };
}

interface ReviewStatus {
  readonly authenticated?: boolean;
  readonly audiences?: readonly string[];
  readonly user?: { readonly username?: string };
}
