/** Asks a gateway's pod which configuration it serves: `/health` of its metrics port says so. */
import { Agent, request } from 'undici';
import { PORTS } from '../isolate/places.ts';
import type { KubeObject } from '../cluster/objects.ts';
import type { PodReport } from '../isolate/serving.ts';
import { sampleFrom } from '../rollout/pod-counters.ts';
import type { AskPod } from './gateway-keeper.ts';
import type { AskCounts } from './rollout-watch.ts';

/** A pod that does not answer must not hold up what is said of the others. */
const PATIENCE_MS = 1000;
/** A page of metrics of a thousand functions has megabytes. */
const LONGEST_PAGE = 64 * 1024 * 1024;
const PAGE_PATIENCE_MS = 5000;
const LONGEST_ANSWER = 16 * 1024;

export class PodAsker implements AsyncDisposable {
  readonly #agent = new Agent({
    connectTimeout: PATIENCE_MS,
    headersTimeout: PATIENCE_MS,
    bodyTimeout: PATIENCE_MS,
    maxResponseSize: LONGEST_ANSWER,
    keepAliveTimeout: 5000,
  });

  readonly #pages = new Agent({
    connectTimeout: PATIENCE_MS,
    maxResponseSize: LONGEST_PAGE,
    keepAliveTimeout: 5000,
  });

  readonly ask: AskPod = async (pod, signal) => {
    const text = await read(pod, '/health', this.#agent, [signal, AbortSignal.timeout(PATIENCE_MS)]);
    return text === null ? null : reportFrom(text);
  };

  readonly askCounts: AskCounts = async (pod, name, signal) => {
    const text = await read(pod, '/metrics', this.#pages, [signal, AbortSignal.timeout(PAGE_PATIENCE_MS)]);
    return text === null ? null : sampleFrom(text, name);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
    await this.#pages.destroy();
  }
}

/** null: it cannot be asked, or says nothing that is of use. */
async function read(
  pod: KubeObject,
  path: string,
  dispatcher: Agent,
  signals: AbortSignal[],
): Promise<string | null> {
  const address = addressOf(pod);
  if (address === null) return null;
  try {
    const { statusCode, body } = await request(`${address}${path}`, {
      dispatcher,
      signal: AbortSignal.any(signals),
    });
    const text = await body.text();
    return statusCode === 200 ? text : null;
  } catch {
    return null;
  }
}

function addressOf(pod: KubeObject): string | null {
  const { podIP } = (pod['status'] ?? {}) as { podIP?: string };
  if (podIP === undefined) return null;
  const { containers = [] } = (pod['spec'] ?? {}) as {
    containers?: readonly { readonly ports?: readonly { name?: string; containerPort: number }[] }[];
  };
  const ports = containers.flatMap(({ ports: own = [] }) => own);
  const { containerPort = PORTS.metrics } = ports.find(({ name }) => name === 'metrics') ?? {};
  return `http://${podIP.includes(':') ? `[${podIP}]` : podIP}:${containerPort}`;
}

/** null for what is not a gateway's answer. */
function reportFrom(text: string): PodReport | null {
  try {
    const { configuration, refused = null } = JSON.parse(text) as Record<string, unknown>;
    if (typeof configuration !== 'string') return null;
    return { configuration, refused: typeof refused === 'string' ? refused : null };
  } catch {
    return null;
  }
}
