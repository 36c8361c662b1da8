import assert from 'node:assert/strict';
import { Agent, request as httpRequest } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Rejects when the connection breaks: a lost request is an error here, never retried. */
export function get(agent: Agent, url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

/**
 * Asks without pause over `count` kept connections while `work` runs, and fails when a request is lost or `check` throws.
 * Returns how many answers came.
 */
export async function underLoad(
  url: string,
  count: number,
  check: (answer: Answer) => void,
  work: () => Promise<void>,
): Promise<number> {
  const load = { stopped: false, answers: 0 };
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      while (!load.stopped) {
        const answer = await get(agent, url);
        assert.equal(answer.status, 200, answer.text);
        check(answer);
        load.answers++;
      }
    } finally {
      agent.destroy();
    }
  };
  const clients = Promise.all(Array.from({ length: count }, client));
  try {
    await Promise.race([work(), clients]);
  } finally {
    load.stopped = true;
  }
  await clients;
  return load.answers;
}
