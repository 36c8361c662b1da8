/** The bill of materials of an image: CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). */
import { createHash } from 'node:crypto';

export interface Ingredient {
  readonly type: 'file' | 'library';
  readonly name: string;
  readonly version?: string | undefined;
  /** Package URL of a library. */
  readonly purl?: string | undefined;
  /** Of a file. */
  readonly digest?: string | undefined;
  /** SPDX identifier. */
  readonly license?: string | undefined;
}

export interface SbomInput {
  readonly name: string;
  readonly version: string | undefined;
  /** Of the index. */
  readonly digest: string;
  readonly created: Date;
  /** Of Mayfly. */
  readonly toolVersion: string;
  readonly ingredients: readonly Ingredient[];
}

export function makeSbom({ name, version, digest, created, toolVersion, ingredients }: SbomInput) {
  const image = {
    type: 'container',
    'bom-ref': digest,
    name,
    ...(version !== undefined && { version }),
    ...hashes(digest),
  };
  const components = ingredients.map(component);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(digest)}`,
    version: 1,
    metadata: {
      timestamp: created.toISOString(),
      tools: { components: [{ type: 'application', name: 'mayfly', version: toolVersion }] },
      component: image,
    },
    components,
    dependencies: [{ ref: digest, dependsOn: components.map((item) => item['bom-ref']) }],
  };
}

function component({ type, name, version, purl, digest, license }: Ingredient) {
  return {
    type,
    'bom-ref': purl ?? `${name}@${digest}`,
    name,
    ...(version !== undefined && { version }),
    ...(purl !== undefined && { purl }),
    ...(digest !== undefined && hashes(digest)),
    ...(license !== undefined && { licenses: [{ license: { id: license } }] }),
  };
}

function hashes(digest: string) {
  return { hashes: [{ alg: 'SHA-256', content: digest.slice('sha256:'.length) }] };
}

/** A UUID (RFC 9562, version 8) that follows from the image, so that the same image has the same bill. */
function uuidOf(digest: string): string {
  const bytes = createHash('sha256').update(`mayfly sbom ${digest}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
