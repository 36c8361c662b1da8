/** A whole platform on free ports in a folder of its own, for end-to-end tests. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../src/observability/log.ts';
import { type Platform, startPlatform } from '../../src/platform/platform.ts';
import { assemble } from './wat.ts';

export interface TestPlatform extends AsyncDisposable {
  readonly platform: Platform;
  readonly folder: string;
  readonly url: string;
  readonly log: string;
}

const HOSTILE = join(import.meta.dirname, '../fixtures/hostile/guest.wat');

/** `yaml` is a mayfly.yaml; the folder also has `hostile.wasm` (test/fixtures/hostile) and what `files` says. */
export async function startTestPlatform(
  yaml: string,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<TestPlatform> {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-e2e-'));
  await assemble(HOSTILE, join(folder, 'hostile.wasm'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  writeFileSync(join(folder, 'mayfly.yaml'), yaml);
  const log = join(folder, 'mayfly.log');
  try {
    const platform = await startPlatform({
      path: folder,
      env: {},
      log: createLog({ level: 'debug', format: 'json', output: log }),
    });
    return {
      platform,
      folder,
      url: platform.addresses.gateway,
      log,
      async [Symbol.asyncDispose]() {
        await platform.stop(1000);
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** The top of every test's mayfly.yaml: free ports, two threads. */
export const FREE_PORTS = `
server: { port: 0, host: 127.0.0.1, threads: 2 }
monitoring: { metrics_port: 0, host: 127.0.0.1 }
admin: { port: 0 }
`;
