/** Images and keys for tests, in the least code. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { ImageContent } from '../../src/artifacts/oci/content.ts';
import type { Descriptor } from '../../src/artifacts/oci/documents.ts';
import { buildImage, type ImageInput } from '../../src/artifacts/oci/image.ts';
import { openRegistry, type RegistryRepositoryOptions } from '../../src/artifacts/oci/registry/registry.ts';
import { parseReference } from '../../src/artifacts/oci/reference.ts';
import type { Repository } from '../../src/artifacts/oci/repository.ts';
import { moduleOf } from './control.ts';

export interface TestImage {
  readonly content: ImageContent;
  readonly root: Descriptor;
}

/** A pod and a function; other text, other digest. */
export function testImage(text: string, more: Partial<ImageInput> = {}): TestImage {
  const content = new ImageContent();
  const root = buildImage(
    {
      pod: moduleOf(`pod ${text}`),
      function: { name: 'orders', kind: 'handler', wasm: moduleOf(text) },
      created: new Date(0),
      annotations: { 'org.opencontainers.image.title': 'orders' },
      ...more,
    },
    content,
  );
  return { content, root };
}

/** A repository of a registry that waits for nothing between attempts. */
export function openTestRegistry(name: string, options: Partial<RegistryRepositoryOptions> = {}): Repository {
  return openRegistry(parseReference(name), { env: {}, sleep: async () => {}, ...options });
}

export interface TestKeys {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Of the public key. */
  readonly pem: string;
}

/** Keys for signatures, without the slow sealing of a key file. */
export function testKeys(): TestKeys {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return { privateKey, publicKey, pem: publicKey.export({ type: 'spki', format: 'pem' }) as string };
}
