/** The same requests to the gateway and to pods under WasmEdge, interpreted and compiled: the same answers, byte for byte. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { needPart } from '../support/parts.ts';
import { builtAdapter } from '../support/pods/builds.ts';
import { FREE_PORTS, startTestPlatform } from '../support/platform.ts';
import { withoutNames } from '../support/pods/http-observation.ts';
import { parityCases } from '../support/pods/parity-cases.ts';
import { GUESTS, parityConfig, parityModule, parityPod } from '../support/pods/parity-guests.ts';
import { compileAhead, type PodProcess, startPod } from '../support/pods/pod-process.ts';
import { ask } from '../support/pods/raw-client.ts';

test(`${parityCases.length} requests: isolate, WasmEdge interpreted and WasmEdge AOT answer alike`, async (t) => {
  const wasmedge = (await needPart(t, 'wasmedge'))?.paths.wasmedge;
  if (wasmedge === undefined) return;
  const modules = new Map<string, Uint8Array>();
  for (const name of GUESTS) modules.set(name, await parityModule(name));
  const moduleOf = (name: string): Uint8Array => modules.get(name) as Uint8Array;
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-pods-'));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const files = Object.fromEntries(GUESTS.map((name) => [`${name}.wasm`, moduleOf(name)]));
  const gateway = stack.use(await startTestPlatform(parityConfig(FREE_PORTS), files));
  const gatewayPort = Number(new URL(gateway.url).port);
  const adapter = await builtAdapter();
  const pods = new Map<string, { interpreted: PodProcess; ahead: PodProcess }>();
  for (const name of GUESTS) {
    const file = join(folder, `${name}.wasm`);
    const compiled = join(folder, `${name}.aot.wasm`);
    writeFileSync(file, parityPod(name, moduleOf(name), adapter));
    await compileAhead(wasmedge, file, compiled);
    const interpreted = stack.use(await startPod(wasmedge, file));
    pods.set(name, { interpreted, ahead: stack.use(await startPod(wasmedge, compiled)) });
  }

  for (const variant of ['interpreted', 'ahead'] as const) {
    await t.test(variant, async () => {
      const different: string[] = [];
      for (const { guest, name, pieces } of parityCases) {
        const expected = withoutNames(await ask(gatewayPort, pieces));
        const { port } = (pods.get(guest) as { interpreted: PodProcess; ahead: PodProcess })[variant];
        const actual = withoutNames(await ask(port, pieces));
        assert.notEqual(expected, '', `${guest}: ${name}: the gateway says nothing`);
        if (actual !== expected) different.push(`${guest}: ${name}, ${difference(expected, actual)}`);
      }
      assert.deepEqual(different, []);
    });
  }
});

/** Where two texts begin to differ, with what stands around it. */
function difference(expected: string, actual: string): string {
  let at = 0;
  while (at < expected.length && expected[at] === actual[at]) at++;
  const around = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 200), at + 400));
  return `at ${at} of ${expected.length}\n  gateway …${around(expected)}\n  pod     …${around(actual)}`;
}
