/** From built modules to an image with its bill of materials and its provenance. */
import { digestOf } from '../../artifacts/digest.ts';
import { ImageContent } from '../../artifacts/oci/content.ts';
import type { Descriptor } from '../../artifacts/oci/documents.ts';
import { buildImage, type ImageInput } from '../../artifacts/oci/image.ts';
import { SBOM, STATEMENT } from '../../artifacts/oci/media-types.ts';
import { makeProvenance } from '../../artifacts/oci/provenance.ts';
import { type Ingredient, makeSbom } from '../../artifacts/oci/sbom.ts';
import { MayflyError } from '../../model/errors.ts';
import { VERSION } from '../../model/version.ts';

export interface ImageOrder extends ImageInput {
  readonly name: string;
  /** Libraries that were compiled into the modules. */
  readonly libraries: readonly Ingredient[];
  /** SBOM and provenance. */
  readonly attest: boolean;
}

export interface AssembledImage {
  readonly content: ImageContent;
  readonly root: Descriptor;
}

/** Pure. */
export function assembleImage(order: ImageOrder): AssembledImage {
  const { name, created } = order;
  const content = new ImageContent();
  const annotations = { 'org.opencontainers.image.title': name, ...order.annotations };
  const root = buildImage({ ...order, annotations }, content);
  if (!order.attest) return { content, root };
  const files = modulesOf(order);
  const ingredients = [...files.map((file): Ingredient => ({ type: 'file', ...file })), ...order.libraries];
  const version = order.annotations['org.opencontainers.image.version'];
  const sbom = makeSbom({ name, version, digest: root.digest, created, toolVersion: VERSION, ingredients });
  content.attach(root, sbom, SBOM);
  const provenance = makeProvenance({
    name,
    digest: root.digest,
    toolVersion: VERSION,
    parameters: { name, annotations, created: created.toISOString() },
    materials: files,
  });
  content.attach(root, provenance, STATEMENT);
  return { content, root };
}

function modulesOf(order: ImageOrder): { name: string; digest: string }[] {
  const { pod, compiled = {}, function: code } = order;
  const modules: [string, Uint8Array | undefined][] = [
    ['function.wasm', code?.wasm],
    ['app.wasm', pod ?? undefined],
    ...Object.entries(compiled).map(([platform, wasm]): [string, Uint8Array] => [
      `app.wasm (${platform})`,
      wasm,
    ]),
  ];
  return modules.flatMap(([name, wasm]) => (wasm === undefined ? [] : [{ name, digest: digestOf(wasm) }]));
}

/** https://reproducible-builds.org/specs/source-date-epoch/; without it the beginning of time, never now. */
export function sourceDate(env: Readonly<Record<string, string | undefined>>): Date {
  const text = env['SOURCE_DATE_EPOCH'] ?? '';
  if (text === '') return new Date(0);
  const seconds = /^\d{1,11}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isNaN(seconds)) return new Date(seconds * 1000);
  throw new MayflyError('SOURCE_DATE_EPOCH is not a number of seconds', {
    where: JSON.stringify(text.slice(0, 40)),
    exitCode: 2,
    code: 'usage',
  });
}
