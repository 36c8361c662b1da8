/** What is measured: one function, as a pod in four ways, and a node:http server in the same kind of container. */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { importFiles, importPod } from '../support/images.ts';
import type { PodNode } from '../support/node.ts';
import type { PodOptions } from '../support/pod.ts';

export interface Variant {
  readonly name: string;
  readonly pod: PodOptions;
  /** What a registry holds of it, in bytes. */
  readonly imageBytes: number;
}

const ROOT = join(import.meta.dirname, '../../..');

export async function prepareVariants(
  node: PodNode,
  modules: { readonly plain: Uint8Array; readonly compiled: Uint8Array },
): Promise<Variant[]> {
  const variants: Variant[] = [];
  for (const [name, module] of Object.entries(modules)) {
    const image = `mayfly.test/flash-sale-${name}:1`;
    const imageBytes = await importPod(node, image, module);
    const how = name === 'plain' ? 'interpreted' : 'compiled';
    variants.push(
      { name: `crun, ${how}`, pod: { handler: 'wasmedge', image }, imageBytes },
      { name: `our shim, ${how}`, pod: { handler: 'wasmedge-shim', image }, imageBytes },
    );
  }
  variants.push(await nodeHttp(node));
  return variants;
}

/**
 * node's program and libraries are mounted instead of being copied into a layer: containers share them in memory as
 * those of one image would. Their size counts as the image's.
 */
async function nodeHttp(node: PodNode): Promise<Variant> {
  const image = 'mayfly.test/node-http:1';
  const files = {
    'server.mjs': readFileSync(join(ROOT, 'test/pods/fixtures/node-http.mjs')),
    'order.mjs': readFileSync(join(ROOT, 'bench/peers/order.mjs')),
  };
  await importFiles(node, image, files, ['/node', '/server.mjs']);
  const listed = spawnSync('ldd', [process.execPath], { encoding: 'utf8' }).stdout;
  const libraries = [...listed.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1] as string);
  const mounts: Record<string, string> = Object.fromEntries([
    ['/node', process.execPath],
    ...libraries.map((library) => [library, library]),
  ]);
  const imageBytes = Object.values(mounts).reduce((sum, file) => sum + statSync(file).size, 0);
  return { name: 'node:http', pod: { handler: 'linux', image, mounts }, imageBytes };
}
