/** Every server of the gateway question: how it is set up and started, and what it does for each request. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compilePolicy } from '../../src/policy/compile.ts';
import { cacheFolder, debianProgram, npmPackages } from '../lib/cache.ts';
import { buildFunction, shopConfig, shopFolder, startMayfly } from '../lib/mayfly.ts';
import { freePort } from '../lib/process.ts';
import { SECRET } from '../lib/tokens.ts';
import { PATH } from '../lib/workload.ts';
import { launch, type Materials, onPort, type Peer, rootOf } from './peer.ts';
import { wasmtimePeers } from './wasmtime.ts';
import { workerdPeers } from './workerd.ts';

const WHOLE = 'token, rate limit, policy, Wasm with fresh state, metrics';
const HERE = import.meta.dirname;

export async function gatherMaterials(scratch: string): Promise<Materials> {
  const shop = shopFolder(scratch, 'materials');
  const module = await buildFunction(join(shop, 'function.ts'), join(shop, 'function.wasm'));
  const policy = join(shop, 'policy.wasm');
  const { wasm } = await compilePolicy(
    {
      files: { 'policy.rego': readFileSync(join(shop, 'policy.rego'), 'utf8') },
      entrypoints: ['serverless/allow'],
    },
    { cacheDir: policyCache() },
  );
  writeFileSync(policy, wasm);
  return { scratch, module, policy, shop, packages: await npmPackages() };
}

export async function allPeers(materials: Materials): Promise<Peer[]> {
  return [
    mayfly(materials),
    await nginx(materials),
    nodeSame(materials),
    nodeLibraries(materials, { cacheTokens: true }),
    nodeLibraries(materials, { cacheTokens: false }),
    bun(materials),
    deno(materials),
    ...workerdPeers(materials),
    ...(await wasmtimePeers(materials)),
  ];
}

function mayfly({ scratch }: Materials): Peer {
  return {
    name: 'Mayfly',
    does: WHOLE,
    path: PATH,
    quick: true,
    missing: null,
    start: () => startMayfly(shopFolder(scratch), shopConfig),
  };
}

async function nginx({ scratch }: Materials): Promise<Peer> {
  const found = await debianProgram('nginx');
  return {
    name: 'nginx',
    does: 'a constant answer: the ceiling',
    path: PATH,
    quick: true,
    missing: 'missing' in found ? found.missing : null,
    start: async () => {
      const port = await freePort();
      const text = readFileSync(join(HERE, 'nginx.conf.txt'), 'utf8');
      const file = join(scratch, 'nginx.conf');
      writeFileSync(file, text.replaceAll('SCRATCH', scratch).replace('PORT', String(port)));
      const program = 'path' in found ? found.path : 'nginx';
      return { port, server: launch(scratch, 'nginx', [program, '-c', file, '-p', scratch]) };
    },
  };
}

function nodeSame({ scratch, module, shop }: Materials): Peer {
  return {
    name: 'node:http, same pipeline',
    does: WHOLE,
    path: PATH,
    quick: true,
    missing: null,
    start: () =>
      onPort(scratch, 'node-same', [process.execPath, join(HERE, 'node-same.ts')], {
        MODULE: module,
        POLICY_SOURCE: join(shop, 'policy.rego'),
        POLICY_CACHE: policyCache(),
        SECRET,
      }),
  };
}

function nodeLibraries(
  { scratch, module, policy, packages }: Materials,
  { cacheTokens }: { cacheTokens: boolean },
): Peer {
  const tokens = cacheTokens ? 'tokens cached' : 'every token verified';
  return {
    name: `node:http, libraries, ${tokens}`,
    does: `jose (${tokens}), token bucket, opa-wasm, Wasm with shared state, Prometheus client`,
    path: PATH,
    quick: cacheTokens,
    missing: 'missing' in packages ? packages.missing : null,
    start: () =>
      onPort(scratch, `node-libraries-${cacheTokens}`, [process.execPath, join(HERE, 'node-libraries.mjs')], {
        MODULE: module,
        POLICY: policy,
        SECRET,
        PACKAGES: 'path' in packages ? packages.path : '',
        CACHE_TOKENS: cacheTokens ? '1' : '0',
      }),
  };
}

function bun({ scratch, packages }: Materials): Peer {
  return {
    name: 'Bun.serve',
    does: 'bare handler in JavaScript, 1 process',
    path: PATH,
    quick: true,
    missing: 'missing' in packages ? packages.missing : null,
    start: () =>
      onPort(scratch, 'bun', [
        join(rootOf(packages), 'node_modules/@oven/bun-linux-x64/bin/bun'),
        join(HERE, 'bun.mjs'),
      ]),
  };
}

function deno({ scratch, packages }: Materials): Peer {
  return {
    name: 'Deno.serve',
    does: 'bare handler in JavaScript, 1 process',
    path: PATH,
    quick: true,
    missing: 'missing' in packages ? packages.missing : null,
    start: () => {
      const program = join(rootOf(packages), 'node_modules/@deno/linux-x64-glibc/deno');
      return onPort(scratch, 'deno', [program, 'run', '-A', join(HERE, 'deno.mjs')], {
        DENO_NO_UPDATE_CHECK: '1',
      });
    },
  };
}

function policyCache(): string {
  return join(cacheFolder(), 'policies');
}
