import { PolicyEvaluationError, PolicyUnavailableError } from './types.ts';

/** An answer larger than this is no decision. */
const MAX_ANSWER_BYTES = 1 << 20;

/**
 * Asks a running OPA: `POST <url>/v1/data/<entrypoint>` (https://www.openpolicyagent.org/docs/rest-api#data-api).
 * Resolves to the rule's value, or undefined where OPA has none (callers deny). Rejects with PolicyUnavailableError
 * when OPA cannot be reached in time, with PolicyEvaluationError when it answers with an error.
 */
export async function askOpa(
  url: string,
  entrypoint: string,
  input: unknown,
  timeoutMs: number,
): Promise<unknown> {
  const path = entrypoint.split('/').map(encodeURIComponent).join('/');
  const address = `${url.replace(/\/+$/, '')}/v1/data/${path}`;
  let status: number;
  let text: string;
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ input }),
      redirect: 'error',
      signal: AbortSignal.timeout(Math.max(1, Math.floor(timeoutMs))),
    });
    status = response.status;
    text = await readAll(response);
  } catch (cause) {
    if (cause instanceof PolicyEvaluationError) throw cause;
    throw new PolicyUnavailableError('The policy server does not answer.', { cause });
  }
  if (status >= 500) throw new PolicyUnavailableError(`The policy server answered ${status}.`);
  if (status !== 200) throw new PolicyEvaluationError(`The policy server answered ${status}.`);
  return resultOf(text);
}

function resultOf(text: string): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw new PolicyEvaluationError('The policy server answered with something that is not JSON.', { cause });
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) {
    throw new PolicyEvaluationError('The policy server answered with something that is not a decision.');
  }
  return Object.hasOwn(answer, 'result') ? (answer as { result: unknown }).result : undefined;
}

async function readAll(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new PolicyEvaluationError('The policy server answered with too much.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
