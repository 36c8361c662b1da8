/** What an image is, for people and programs: platforms, sizes, digests, what is said of it, what is attached. */
import { type Descriptor, parseConfig, parseDocument } from './documents.ts';
import { limits } from './limits.ts';
import { CONFIG, FUNCTION } from './media-types.ts';
import { readChild, requireImage, type Repository } from './repository.ts';
import { readSignatures } from './signing/signatures.ts';

export interface ImagePart {
  /** `linux/amd64`; `function` for what the gateway runs; `-` where nothing is said. */
  readonly platform: string;
  readonly digest: string;
  /** Of manifest, configuration and layers, as they travel. */
  readonly bytes: number;
  readonly layers: readonly { readonly digest: string; readonly mediaType: string; readonly bytes: number }[];
  readonly entrypoint: readonly string[] | null;
  readonly user: string | null;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ImageReport {
  readonly name: string;
  readonly digest: string;
  readonly mediaType: string;
  /** All parts together, what they share counted once. */
  readonly bytes: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly parts: readonly ImagePart[];
  readonly attached: readonly { readonly type: string; readonly digest: string; readonly bytes: number }[];
  /** Unchecked: `mayfly image verify` checks them. */
  readonly signatures: readonly { readonly digest: string | null; readonly identity: string | null }[];
}

/** Throws MayflyError. */
export async function inspectImage(repository: Repository, reference: string | null): Promise<ImageReport> {
  const root = await requireImage(repository, reference);
  const where = `${repository.label}@${root.digest}`;
  const document = parseDocument(root.bytes, where);
  const self = { digest: root.digest, mediaType: root.mediaType, size: root.bytes.length };
  const children: Descriptor[] = document.type === 'index' ? document.index.manifests : [self];
  const sizes = new Map<string, number>([[root.digest, root.bytes.length]]);
  const parts: ImagePart[] = [];
  for (const child of children) parts.push(await inspectPart(repository, child, sizes));
  const attached = await repository.referrers(root.digest);
  const signatures = await readSignatures(repository, root.digest);
  const { annotations } = document.type === 'index' ? document.index : document.manifest;
  return {
    name: repository.label,
    digest: root.digest,
    mediaType: root.mediaType,
    bytes: sum(sizes.values()),
    annotations: annotations ?? {},
    parts,
    attached: attached.map(({ artifactType, mediaType, digest, size }) => ({
      type: artifactType ?? mediaType,
      digest,
      bytes: size,
    })),
    signatures: signatures.map(({ claim }) => ({
      digest: claim?.digest ?? null,
      identity: claim?.identity ?? null,
    })),
  };
}

async function inspectPart(
  repository: Repository,
  child: Descriptor,
  sizes: Map<string, number>,
): Promise<ImagePart> {
  const { document } = await readChild(repository, child);
  const { os = '-', architecture = '', variant } = child.platform ?? {};
  const isFunction = child.artifactType === FUNCTION;
  const named = [os, architecture, variant].filter((word) => word !== undefined && word !== '').join('/');
  const common = { platform: isFunction ? 'function' : named, digest: child.digest };
  if (document.type === 'index') {
    sizes.set(child.digest, child.size);
    return { ...common, bytes: child.size, layers: [], entrypoint: null, user: null, annotations: {} };
  }
  const { config, layers, annotations } = document.manifest;
  const all = [child, config, ...layers];
  for (const { digest, size } of all) sizes.set(digest, size);
  const isContainer = config.mediaType === CONFIG && config.size <= limits.manifestBytes;
  const settings = isContainer ? parseConfig(await repository.blob(config), child.digest).config : null;
  return {
    ...common,
    bytes: sum(new Map(all.map(({ digest, size }) => [digest, size])).values()),
    layers: layers.map(({ digest, mediaType, size }) => ({ digest, mediaType, bytes: size })),
    entrypoint: settings?.Entrypoint ?? null,
    user: settings?.User ?? null,
    annotations: annotations ?? {},
  };
}

function sum(sizes: Iterable<number>): number {
  let total = 0;
  for (const size of sizes) total += size;
  return total;
}
