import type { RevisionSpec } from '../model/function.ts';
import type { Guest } from './guest.ts';
import { HandlerGuest } from './handler-guest.ts';
import { HandlerHost } from './handler-host.ts';
import type { RuntimeThread } from './runtime-thread.ts';
import { WagiGuest } from './wagi-guest.ts';
import { WagiHost } from './wagi-host.ts';

/** Makes the guests of one thread. */
export class Guests {
  readonly #handlers: HandlerHost;
  readonly #commands: WagiHost;

  constructor(thread: RuntimeThread) {
    this.#handlers = new HandlerHost(thread);
    this.#commands = new WagiHost(thread);
  }

  /** A new instance of a revision, initialised with at most `initialBudgetMs` of CPU. Throws what its initialisation throws. */
  create(revision: RevisionSpec, initialBudgetMs?: number): Guest {
    switch (revision.kind) {
      case 'handler':
        return new HandlerGuest(this.#handlers, revision, initialBudgetMs);
      case 'wagi':
        return new WagiGuest(this.#commands, revision, initialBudgetMs);
      case 'upstream':
        throw new Error(`${revision.id} runs elsewhere`);
    }
  }
}
