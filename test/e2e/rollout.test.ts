/** Rollouts through the front door: a bad revision goes back by itself, a good one goes up, kill -9 in between changes neither. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { adminOf } from '../support/admin.ts';
import { answering } from '../support/answering.ts';
import { mayfly, mayflyJson, startServer } from '../support/cli.ts';
import { get } from '../support/clients.ts';
import { temporaryFolder } from '../support/control.ts';
import { FREE_PORTS, startTestPlatform } from '../support/platform.ts';

const FIRST_STEP = 10;
const ROLLOUT = `{ steps: [${FIRST_STEP}, 50], interval: 1s, min_requests: 20, max_error_rate: 1%, max_p99: 100ms }`;
const CONFIG = `${FREE_PORTS}
security: { rate_limit_enabled: false }
function: { cpu_limit: 1000m, rollout: ${ROLLOUT} }
`;
/** One request in four is long: the bad revisions fail those. */
const LONG = 'x'.repeat(600);
const IF_LONG = '(i32.gt_u (local.get 1) (i32.const 600))';
const TRAPS = `(if ${IF_LONG} (then unreachable))`;
const SPINS = `(loop $again (br_if $again (i32.lt_u
  (local.tee 2 (i32.add (local.get 2) (i32.const 1))) (i32.const 400000000))))`;

interface Rollout {
  readonly phase: string;
  readonly percent: number;
  readonly step: number;
  readonly candidate: number;
  readonly reason: string | null;
}

interface Detail {
  readonly rollout: Rollout | null;
  readonly traffic: readonly { readonly revision: number; readonly weight: number }[];
  readonly revisions: readonly { readonly number: number }[];
}

/** Four clients ask without pause until `done` says so; what they were answered, by status and text. */
async function ask(url: string, done: () => boolean): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let turn = 0; !done(); turn++) {
      const { status, text } = await get(agent, turn % 4 === 0 ? `${url}?${LONG}` : url);
      const what = status === 200 ? text : String(status);
      seen.set(what, (seen.get(what) ?? 0) + 1);
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: 4 }, client));
  return seen;
}

async function until<T>(read: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  for (const began = Date.now(); ; await pause(50)) {
    const value = await read();
    if (good(value)) return value;
    assert.ok(Date.now() - began < 60_000, `still ${JSON.stringify(value)}`);
  }
}

const total = (seen: ReadonlyMap<string, number>) =>
  [...seen.values()].reduce((sum, count) => sum + count, 0);

for (const [what, instructions, reason] of [
  ['traps on one request in four', TRAPS, /requests failed \(.* allowed 1 %\); before: 0 of/],
  ['takes far too long', SPINS, /requests (took longer than 100 ms|failed)/],
] as const) {
  test(`a revision that ${what} goes back by itself`, { timeout: 120_000 }, async (t) => {
    await using server = await startTestPlatform(CONFIG);
    const admin = adminOf(server);
    const deploy = async (wasm: Uint8Array<ArrayBuffer>) =>
      admin<Detail>('PUT', 'functions/live', wasm, 'application/wasm');
    await deploy(await answering('good'));
    const state = { isOver: false };
    const asking = ask(`${server.url}/live`, () => state.isOver);
    const { traffic } = await deploy(await answering('bad', instructions));
    assert.deepEqual(
      traffic.map(({ weight }) => weight),
      [100 - FIRST_STEP, FIRST_STEP],
    );
    const { rollout, ...after } = await until(
      () => admin<Detail>('GET', 'functions/live'),
      (detail) => detail.rollout?.phase !== 'running',
    ).finally(() => (state.isOver = true));
    const seen = await asking;
    t.diagnostic(`${rollout?.reason}; answers: ${JSON.stringify([...seen])}`);
    assert.equal(rollout?.phase, 'rolled-back');
    assert.match(rollout.reason ?? '', reason);
    assert.deepEqual(after.traffic, [{ revision: 1, weight: 100 }]);
    assert.deepEqual(
      after.revisions.map(({ number }) => number),
      [2, 1],
    );
    // Never more than its share, but for chance.
    const failed = total(seen) - (seen.get('good') ?? 0) - (seen.get('bad') ?? 0);
    assert.ok(failed <= 20 + (total(seen) * FIRST_STEP * 2) / 100, `${failed} of ${total(seen)} failed`);

    let left = 40;
    const later = await ask(`${server.url}/live`, () => left-- <= 0);
    assert.deepEqual([...later.keys()], ['good']);
    const lines = readFileSync(server.log, 'utf8');
    assert.match(lines, /"a new revision was rolled back"/);
    const page = await (await fetch(`${server.platform.addresses.metrics}/metrics`)).text();
    assert.match(page, /^mayfly_rollbacks_total\{function="live"\} 1$/m);
    assert.match(page, /^mayfly_revision_requests_total\{function="live",revision="live-1",digest="sha256:/m);
  });
}

test(
  'a good revision goes up to all requests, kill -9 in mid-rollout or not',
  { timeout: 120_000 },
  async () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, 'code'));
    const write = (wasm: Uint8Array) => writeFileSync(join(folder.path, 'code/live.wasm'), wasm);
    write(await answering('old'));
    writeFileSync(
      join(folder.path, 'mayfly.yaml'),
      // Long enough for a command on a busy machine to come within a step.
      `${CONFIG.replace('interval: 1s', 'interval: 8s')}functions: { live: { source: code/live.wasm } }\n`,
    );
    const inspect = () => mayflyJson<Detail>(['inspect', 'live'], { cwd: folder.path });
    const state = { isOver: false };
    {
      await using server = await startServer(['serve'], { cwd: folder.path });
      write(await answering('new'));
      const reloaded = await mayfly(['reload'], { cwd: folder.path });
      assert.equal(reloaded.code, 0, reloaded.err);
      const asking = ask(`${server.overview.addresses.gateway}/live`, () => state.isOver);
      await until(inspect, ({ rollout }) => rollout?.step === 2);
      const paused = await mayfly(['rollout', 'pause', 'live'], { cwd: folder.path });
      assert.match(paused.out, /^ok revision 2 instead of 1: paused at 50 %, step 2 of 2/);
      state.isOver = true;
      const seen = await asking;
      assert.deepEqual([...seen.keys()].toSorted(), ['new', 'old']);
      assert.equal((await mayfly(['rollout', 'resume', 'live'], { cwd: folder.path })).code, 0);
      server.signal('SIGKILL');
      await server.ended;
    }
    await using server = await startServer(['serve'], { cwd: folder.path });
    const { rollout } = await inspect();
    assert.deepEqual([rollout?.phase, rollout?.step, rollout?.percent], ['running', 2, 50]);
    state.isOver = false;
    const asking = ask(`${server.overview.addresses.gateway}/live`, () => state.isOver);
    const { traffic } = await until(inspect, (detail) => detail.rollout?.phase === 'done');
    state.isOver = true;
    const seen = await asking;
    assert.deepEqual(traffic, [{ revision: 2, weight: 100 }]);
    assert.deepEqual([...seen.keys()].toSorted(), ['new', 'old']);
    assert.equal((await mayfly(['rollout', 'abort', 'live'], { cwd: folder.path })).code, 1);
  },
);
