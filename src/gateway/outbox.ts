import type { DecisionRecord, FromThread, GuestLogLine, RequestTrace } from '../model/protocol.ts';
import type { LoggedLine } from '../runtime/guest.ts';
import type { Call } from './call.ts';

/** Messages gathered before they are sent, and at most this many kept: a flood of log lines must not stall the data path. */
const MAX_PENDING = 1000;
const SEND_AFTER_MS = 20;

/** What this thread tells the main thread about requests, gathered and sent a few times a second. */
export class Outbox {
  readonly #post: (message: FromThread) => void;
  #logs: GuestLogLine[] = [];
  #traces: RequestTrace[] = [];
  #decisions: DecisionRecord[] = [];
  #dropped = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(post: (message: FromThread) => void) {
    this.#post = post;
  }

  guestLogs(call: Call, lines: readonly LoggedLine[]): void {
    const { id, function: name } = call.revision();
    const requestId = call.requestId();
    for (const { level, message, time } of lines) {
      this.#add(this.#logs, { level, message, time, function: name, revision: id, requestId });
    }
  }

  trace(trace: RequestTrace): void {
    this.#add(this.#traces, trace);
  }

  decision(record: DecisionRecord): void {
    this.#add(this.#decisions, record);
  }

  warn(message: string): void {
    this.#post({ type: 'warning', message });
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#logs.length > 0) this.#post({ type: 'guest-log', lines: this.#logs });
    if (this.#traces.length > 0) this.#post({ type: 'trace', requests: this.#traces });
    if (this.#decisions.length > 0) this.#post({ type: 'decisions', records: this.#decisions });
    if (this.#dropped > 0)
      this.warn(`${this.#dropped} log lines were dropped: more came than can be passed on`);
    this.#logs = [];
    this.#traces = [];
    this.#decisions = [];
    this.#dropped = 0;
  }

  #add<T>(list: T[], item: T): void {
    if (list.length >= MAX_PENDING) this.#dropped++;
    else list.push(item);
    this.#timer ??= setTimeout(() => this.flush(), SEND_AFTER_MS);
  }
}
