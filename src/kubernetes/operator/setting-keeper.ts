/** Policies and RateLimits: whether they can be used. */
import { keyOf, type KubeObject, type Resource } from '../cluster/objects.ts';
import { POLICIES, RATE_LIMITS } from '../cluster/resources.ts';
import type { Action } from '../reconcile/actions.ts';
import { reconcileSetting } from '../reconcile/reconcile-setting.ts';
import { POLICY, RATE_LIMIT } from '../resources/kinds.ts';
import { parseSpec } from '../resources/parse.ts';
import type { Change, Keeper } from './keeper.ts';
import type { PolicyBook } from './policy-book.ts';
import type { Time } from './time.ts';

abstract class SettingKeeper implements Keeper {
  abstract readonly resource: Resource;
  readonly #time: Time;

  constructor(time: Time) {
    this.#time = time;
  }

  *concerned({ before, after }: Change): Iterable<string> {
    const object = after ?? before;
    if (object?.kind === this.resource.kind) yield keyOf(object);
  }

  decide(object: KubeObject): Action[] {
    return reconcileSetting(object, this.problemOf(object), this.#time.now());
  }

  protected abstract problemOf(object: KubeObject): string | null;
}

export class RateLimitKeeper extends SettingKeeper {
  readonly resource = RATE_LIMITS;

  protected problemOf(object: KubeObject): string | null {
    const parsed = parseSpec(RATE_LIMIT, object);
    return 'problem' in parsed ? parsed.problem : null;
  }
}

export class PolicyKeeper extends SettingKeeper {
  readonly resource = POLICIES;
  readonly #book: PolicyBook;

  constructor(time: Time, book: PolicyBook) {
    super(time);
    this.#book = book;
  }

  async prepare(object: KubeObject): Promise<void> {
    await this.#book.learn([object]);
  }

  protected problemOf(object: KubeObject): string | null {
    const parsed = parseSpec(POLICY, object);
    return 'problem' in parsed ? parsed.problem : this.#book.verdict(parsed.spec);
  }
}
