/** The closed loop: more and more connections ask a quick function as fast as they are answered. */
import { join } from 'node:path';
import { startShop } from '../../lib/capacity.ts';
import type { Cores } from '../../lib/cores.ts';
import { h2load, type LoadResult, wrk, wrkScript } from '../../lib/load.ts';
import type { RunOptions } from '../../lib/question.ts';

export const CROWDS = [64, 256, 1024, 4096];
const PROBES_PER_SECOND = 200;
const PROBE_CONNECTIONS = 8;

export interface Crowd {
  readonly connections: number;
  readonly load: LoadResult;
  /** A few clients beside the crowd that ask at a constant rate. */
  readonly probe: LoadResult;
}

export async function crowdShop(options: RunOptions, cores: Cores): Promise<Crowd[]> {
  const { quick, scratch, say } = options;
  const shop = await startShop(options, {}, { threads: 1, prefix: cores.server });
  try {
    const script = wrkScript(join(scratch, 'crowd.lua'), [shop.target]);
    const load = (connections: number, seconds: number) =>
      wrk(shop.port, shop.target.path, { connections, seconds, script, prefix: cores.client });
    await load(64, 3);
    const crowds: Crowd[] = [];
    const seconds = quick ? 3 : 6;
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      for (const connections of CROWDS) {
        const probing = h2load(shop.target, {
          connections: PROBE_CONNECTIONS,
          seconds: seconds - 1,
          requestsPerSecond: PROBES_PER_SECOND,
          scratch,
        });
        const [result, probe] = await Promise.all([load(connections, seconds), probing]);
        crowds.push({ connections, load: result, probe });
        say(
          `${connections} connections: ${Math.round(result.requestsPerSecond)}/s, ${result.errors} refused`,
        );
      }
    }
    return crowds;
  } finally {
    await shop.server.stop();
  }
}
