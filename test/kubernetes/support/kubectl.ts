/** kubectl, as a person at a terminal has it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class Kubectl {
  readonly #program: string;
  readonly #kubeconfig: string;

  constructor(program: string, kubeconfig: string) {
    this.#program = program;
    this.#kubeconfig = kubeconfig;
  }

  async try(args: readonly string[], input: unknown = null): Promise<Answer> {
    const child = spawn(this.#program, ['--kubeconfig', this.#kubeconfig, ...args]);
    // It may be at its end before it has read what it was given; then its answer says why.
    child.stdin.on('error', () => {});
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.stdin.end(input === null ? '' : JSON.stringify(input));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, out, err };
  }

  /** Throws when kubectl does not succeed. */
  async run(...args: readonly string[]): Promise<string> {
    const { code, out, err } = await this.try(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${err}`);
    return out;
  }

  async apply(...objects: readonly object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects };
    const { code, err } = await this.try(['apply', '-f', '-'], list);
    if (code !== 0) throw new Error(`kubectl apply: ${err}`);
  }

  /** null: there is none. */
  async get<T>(kind: string, name: string, namespace = 'default'): Promise<T | null> {
    const { code, out, err } = await this.try(['get', kind, name, '-n', namespace, '-o', 'json']);
    if (code === 0) return JSON.parse(out) as T;
    if (err.includes('NotFound')) return null;
    throw new Error(`kubectl get ${kind} ${name}: ${err}`);
  }
}

/**
 * Asks until `probe` answers something; throws with `what` when it does not in time. A probe that throws is asked again: an
 * API server may be gone for a moment.
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | null | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  const end = performance.now() + withinMs;
  let cause: unknown;
  for (;;) {
    try {
      const found = await probe();
      if (found !== null && found !== undefined && found !== false) return found;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > end) throw new Error(`It did not happen that ${what}`, { cause });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
