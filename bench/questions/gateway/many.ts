/** The same load over 64 functions and 1,000 users: colder caches for code, memory and tokens. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LoadResult, medianLoad, wrk, wrkScript } from '../../lib/load.ts';
import { shopFolder, startMayfly } from '../../lib/mayfly.ts';
import { digits, type Table, thousands } from '../../lib/markdown.ts';
import type { RunOptions } from '../../lib/question.ts';
import { median } from '../../lib/statistics.ts';
import { tokensOf } from '../../lib/tokens.ts';
import { headersWith, ORDER, prices } from '../../lib/workload.ts';
import type { Materials } from '../../peers/peer.ts';

const FUNCTIONS = 64;
const USERS = 1000;
/** Different (user, function) pairs that wrk chooses from at random. */
const REQUESTS = 4000;

const POLICY = `package serverless

import rego.v1

default allow = false

allow if {
	input.method == "POST"
	startswith(input.path, "/api/")
	input.user.role == "user"
	input.rate_limit.remaining > 0
	input.user.status == "active"
}
`;

export async function manyFunctions(
  { scratch, say }: RunOptions,
  { module }: Materials,
): Promise<{ table: Table; raw: unknown }> {
  const folder = shopFolder(scratch, 'many');
  writeFileSync(join(folder, 'policy.rego'), POLICY);
  const wasm = readFileSync(module);
  const functions = Object.fromEntries(
    Array.from({ length: FUNCTIONS }, (_, index) => {
      writeFileSync(join(folder, `f${index}.wasm`), variant(wasm, index));
      const routes = [{ host: `f${index}.shop.test`, path: '/api/function', methods: ['POST'] }];
      return [`f${index}`, { source: `./f${index}.wasm`, routes }];
    }),
  );
  const { server, port } = await startMayfly(folder, {
    functions,
    policy: { files: ['policy.rego'], rule: 'data.serverless.allow' },
  });
  const tokens = await tokensOf(USERS);
  const headers = (index: number): Record<string, string> => ({
    ...headersWith(tokens[index % USERS] as string),
    Host: `f${index % FUNCTIONS}.shop.test`,
  });
  try {
    const probe = { port, path: '/api/function', token: tokens[0] as string, host: 'f0.shop.test' };
    await server.ready(() => prices(probe));
    say(`Mayfly with ${FUNCTIONS} functions answers`);
    const script = wrkScript(
      join(scratch, 'many.lua'),
      Array.from({ length: REQUESTS }, (_, index) => ({
        path: '/api/function',
        body: ORDER,
        headers: headers(index * 7),
      })),
    );
    // 64 modules are compiled just in time, each for itself: that takes its time.
    await wrk(port, '/', { connections: 64, seconds: 10, script });
    const runs: LoadResult[] = [];
    const cpu: number[] = [];
    for (let round = 0; round < 5; round++) {
      const before = server.cpuSeconds();
      const run = await wrk(port, '/', { connections: 64, seconds: 5, script });
      runs.push(run);
      cpu.push(((server.cpuSeconds() - before) / run.requests) * 1e6);
    }
    const load = medianLoad(runs);
    const { rssMB } = server.memory();
    return {
      raw: { runs, cpuMicroseconds: cpu, rssMB },
      table: {
        title: `Mayfly with ${FUNCTIONS} functions (different modules) and ${USERS.toLocaleString('en')} users, 64 connections`,
        head: ['requests/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'CPU µs', 'RSS MB', 'errors'],
        rows: [
          [
            thousands(load.requestsPerSecond),
            digits(load.p50Ms),
            digits(load.p99Ms),
            digits(load.p999Ms),
            digits(median(cpu)),
            Math.round(rssMB),
            load.errors,
          ],
        ],
      },
    };
  } finally {
    await server.stop();
  }
}

/** The same function with another text in its data, so that no two share their machine code. */
function variant(wasm: Buffer, index: number): Buffer {
  const copy = Buffer.from(wasm);
  const at = copy.indexOf(Buffer.from('flash-sale', 'utf16le'));
  if (at < 0) throw new Error('The shop no longer says flash-sale in its status');
  copy.write(`flash-${String(index).padStart(4, '0')}`, at, 'utf16le');
  return copy;
}
