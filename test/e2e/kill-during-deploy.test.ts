/** kill -9 in the middle of a deploy leaves either the old or the new revision, never neither and never a mixture. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../../src/artifacts/digest.ts';
import { blueprint, moduleOf, openControl, temporaryFolder } from '../support/control.ts';

const DEPLOYER = join(import.meta.dirname, '../fixtures/control/deployer.ts');
const KILLS = Number(process.env['MAYFLY_KILLS'] ?? 25);

/** Starts the deployer, kills it a random moment after its first deploy began; says what it tried and finished last. */
async function deployUntilKilled(folder: string, first: number): Promise<{ tried: number; done: number }> {
  const child = spawn(process.execPath, [DEPLOYER, folder, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  let killing = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (killing) return;
    killing = true;
    setTimeout(() => child.kill('SIGKILL'), Math.random() * 40);
  });
  const signal = await new Promise((resolve) => {
    child.on('close', (_, signal) => resolve(signal));
  });
  assert.equal(signal, 'SIGKILL', 'the deployer ended by itself');
  const last = (word: string) =>
    Math.max(
      0,
      ...[...output.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map((match) => Number(match[1])),
    );
  return { tried: last('try'), done: last('done') };
}

test(`${KILLS} kills`, { timeout: 600_000 }, async (t) => {
  using folder = temporaryFolder();
  let served = 0;
  let first = 1;
  let amidst = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const { tried, done } = await deployUntilKilled(folder.path, first);
    using control = await openControl(folder.path);
    await control.plane.follow(blueprint());
    assert.deepEqual(control.plane.warnings, []);
    const [victim, ...others] = control.plane.snapshot.functions;
    assert.deepEqual(others, []);

    const acknowledged = Math.max(served, done);
    if (victim === undefined) {
      assert.equal(acknowledged, 0, 'an acknowledged deploy is gone');
      continue;
    }
    assert.equal(victim.traffic.length, 1);
    const { revision, weight } = victim.traffic[0] as (typeof victim.traffic)[number];
    served = Number(revision.env['VERSION']);
    assert.equal(weight, 100);
    assert.ok(
      served === acknowledged || served === tried,
      `serves ${served}, acknowledged was ${acknowledged}, tried was ${tried}`,
    );
    // Code and configuration belong together, and the code is whole.
    assert.equal(revision.digest, digestOf(moduleOf(`version ${served}`)));
    assert.deepEqual(readdirSync(join(folder.path, 'artifacts/unfinished')), []);
    const newest = control.state.revisions('victim')[0];
    assert.equal(newest?.number, revision.number);
    if (tried > done) amidst++;
    first = tried + 1;
  }
  t.diagnostic(`${amidst} of ${KILLS} kills hit a deploy that was under way; last version ${served}`);
  assert.ok(amidst > 0, 'no kill hit a deploy');
});
