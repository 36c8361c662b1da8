/** Mayfly with the shop, and how much it carries: where paced questions begin. */
import { join } from 'node:path';
import { wrk, wrkScript } from './load.ts';
import {
  type MayflyConfig,
  type RunningMayfly,
  shopConfig,
  type StartOptions,
  shopFolder,
  startMayfly,
} from './mayfly.ts';
import type { RunOptions } from './question.ts';
import { median } from './statistics.ts';
import { tokenOf } from './tokens.ts';
import { headersWith, ORDER, PATH, prices } from './workload.ts';
import type { Target } from './load.ts';

export interface Shop extends RunningMayfly {
  readonly target: Target;
}

/** Starts the shop, with what `more` adds to its configuration, and waits for its first answer. */
export async function startShop(
  { scratch }: RunOptions,
  more: Partial<MayflyConfig> = {},
  start: StartOptions = {},
): Promise<Shop> {
  const functions = { ...shopConfig.functions, ...more.functions };
  const mayfly = await startMayfly(shopFolder(scratch), { ...shopConfig, ...more, functions }, start);
  const token = await tokenOf('user-0');
  await mayfly.server.ready(() => prices({ port: mayfly.port, path: PATH, token }), 300_000);
  return { ...mayfly, target: { port: mayfly.port, path: PATH, body: ORDER, headers: headersWith(token) } };
}

/** Requests per second under wrk's closed loop with 64 connections: the median of a few runs after a warm-up. */
export async function capacityOf({ port, target }: Shop, { quick, scratch }: RunOptions): Promise<number> {
  const script = wrkScript(join(scratch, 'capacity.lua'), [target]);
  const load = (seconds: number) => wrk(port, target.path, { connections: 64, seconds, script });
  await load(quick ? 2 : 4);
  const rates: number[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round++)
    rates.push((await load(quick ? 2 : 4)).requestsPerSecond);
  return median(rates);
}
