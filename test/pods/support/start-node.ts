/** The node of a test file, with all its parts, or nothing when one is missing. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { missingPart, needPart } from '../../support/parts.ts';
import { assemble } from '../../support/wat.ts';
import { importFiles, importPod } from './images.ts';
import { type NodeParts, PAUSE_IMAGE, PodNode, nodeObstacle } from './node.ts';

export async function nodeParts(t: TestContext): Promise<NodeParts | undefined> {
  const obstacle = nodeObstacle();
  if (obstacle !== undefined) {
    missingPart(t, obstacle);
    return undefined;
  }
  const containers = await needPart(t, 'containers');
  const pause = await needPart(t, 'pause');
  const shim = await needPart(t, 'shim');
  if (containers === undefined || pause === undefined || shim === undefined) return undefined;
  return { containers, pause, shim };
}

export async function startNode(t: TestContext): Promise<PodNode | undefined> {
  const parts = await nodeParts(t);
  return parts === undefined ? undefined : await startNodeOf(parts);
}

export async function startNodeOf(parts: NodeParts): Promise<PodNode> {
  const node = await PodNode.start(parts);
  await importFiles(node, PAUSE_IMAGE, { pause: readFileSync(parts.pause.paths.pause) }, ['/pause']);
  return node;
}

/** Imports fixtures/<name>.wat and returns the name of its image. */
export async function importFixture(node: PodNode, name: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-fixture-'));
  try {
    const module = join(folder, 'app.wasm');
    await assemble(join(import.meta.dirname, '../fixtures', `${name}.wat`), module);
    const image = `mayfly.test/${name}:1`;
    await importPod(node, image, readFileSync(module));
    return image;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
