import type { DecisionRecord } from '../model/protocol.ts';

/** What the log shows instead of a masked value. */
export const MASKED = '***';

/** Never written, whatever the configuration says: they carry credentials. */
const ALWAYS_MASKED = ['authorization', 'proxy-authorization', 'cookie', 'set-cookie'];

const MAX_DEPTH = 32;
const MAX_VALUES = 1000;
const MAX_STRING = 1024;
const CUT = '…';

export interface DecisionLogOptions {
  /** Share of allowed decisions that is logged, 0..1; denied ones always are. */
  readonly sample: number;
  /** `/user/email` (RFC 6901) masks that value; a plain word masks every member of that name, in any case. */
  readonly mask: readonly string[];
}

export interface Decision {
  readonly policy: string;
  readonly entrypoint: string;
  readonly allowed: boolean;
  readonly input: unknown;
  readonly requestId: string;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
}

function isPointer(entry: string): boolean {
  return entry.startsWith('/');
}

/** Chooses and masks decisions. It keeps nothing: the caller buffers and sends the records. */
export class DecisionLog {
  readonly #sample: number;
  readonly #names: ReadonlySet<string>;
  readonly #pointers: ReadonlySet<string>;

  constructor({ sample, mask }: DecisionLogOptions) {
    this.#sample = sample;
    this.#pointers = new Set(mask.filter(isPointer));
    const names = mask.filter((entry) => !isPointer(entry)).map((name) => name.toLowerCase());
    this.#names = new Set([...names, ...ALWAYS_MASKED]);
  }

  /** `chance` is a random number in [0, 1). */
  wants(allowed: boolean, chance: number): boolean {
    return !allowed || chance < this.#sample;
  }

  /** A copy that the request no longer changes, masked and cut to a bounded size. */
  record(decision: Decision): DecisionRecord {
    return { ...decision, input: this.#copy(decision.input, '', 0, { left: MAX_VALUES }) };
  }

  #copy(value: unknown, pointer: string, depth: number, budget: { left: number }): unknown {
    if (--budget.left < 0 || depth > MAX_DEPTH) return CUT;
    if (typeof value === 'string')
      return value.length > MAX_STRING ? value.slice(0, MAX_STRING) + CUT : value;
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) {
      const kept = value.slice(0, budget.left);
      return kept.map((item, index) => this.#member(item, `${pointer}/${index}`, depth, budget));
    }
    const copy: Record<string, unknown> = Object.create(null);
    for (const name of Object.keys(value).slice(0, Math.max(budget.left, 0))) {
      const inside = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      copy[name] = this.#names.has(name.toLowerCase())
        ? MASKED
        : this.#member((value as Record<string, unknown>)[name], inside, depth, budget);
    }
    return copy;
  }

  #member(value: unknown, pointer: string, depth: number, budget: { left: number }): unknown {
    return this.#pointers.has(pointer) ? MASKED : this.#copy(value, pointer, depth + 1, budget);
  }
}
