/** Layers: a folder tree as a compressed tar. Written so that the same files give the same bytes, read with suspicion. */
import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib';
import { digestOf } from '../digest.ts';
import { type Descriptor } from './documents.ts';
import { limits } from './limits.ts';
import { DOCKER_LAYER, LAYER_GZIP, LAYER_TAR, LAYER_ZSTD } from './media-types.ts';
import { badImage } from './refusal.ts';
import { readTar } from './tar-read.ts';
import { type TarFile, writeTar } from './tar-write.ts';

export interface Layer {
  readonly bytes: Uint8Array;
  /** Digest of the tar before compression, as the image configuration names it. */
  readonly diffId: string;
}

/** RFC 1952: the byte that names the operating system; 255 is "unknown". */
const GZIP_SYSTEM = 9;

/** `level`: 1 is quick, 9 is small. */
export function makeLayer(files: readonly TarFile[], level = 9): Layer {
  const tar = writeTar(files);
  const bytes = gzipSync(tar, { level });
  bytes[GZIP_SYSTEM] = 255;
  return { bytes, diffId: digestOf(tar) };
}

/** The tar in a layer, checked against the configuration's digest of it. Throws MayflyError `bad-image`. */
export function unpackLayer(
  bytes: Uint8Array,
  layer: Descriptor,
  diffId: string | undefined,
  where: string,
): Uint8Array {
  const tar = decompress(bytes, layer.mediaType, where);
  if (diffId !== undefined && digestOf(tar) !== diffId) {
    throw badImage(`a layer does not unpack to ${diffId}, which its configuration names`, where);
  }
  return tar;
}

/**
 * One file out of a stack of layers, the lowest first, as a container would see it; null when there is none.
 * Whiteouts (`.wh.NAME`, `.wh..wh..opq`) take away what lower layers have. Throws MayflyError `bad-image`.
 */
export function fileInLayers(tars: Iterable<Uint8Array>, path: string, where: string): Uint8Array | null {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const name = path.slice(folder.length);
  let found: Uint8Array | null = null;
  for (const tar of tars) {
    let own: Uint8Array | null = null;
    for (const entry of readTar(tar, where)) {
      if (entry.name === `${folder}.wh.${name}` || entry.name === `${folder}.wh..wh..opq`) found = null;
      if (entry.name !== path) continue;
      if (entry.type !== 'file') throw badImage(`/${path} is not a file`, where);
      own = entry.bytes;
    }
    found = own ?? found;
  }
  return found;
}

function decompress(bytes: Uint8Array, mediaType: string, where: string): Uint8Array {
  const options = { maxOutputLength: limits.unpackedBytes };
  try {
    switch (mediaType) {
      case LAYER_TAR:
        return bytes;
      case LAYER_GZIP:
      case DOCKER_LAYER:
        return gunzipSync(bytes, options);
      case LAYER_ZSTD:
        return zstdDecompressSync(bytes, options);
      default:
    }
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    const what = tooLarge
      ? `a layer unpacks to more than ${limits.unpackedBytes} bytes`
      : 'a layer cannot be unpacked';
    throw badImage(what, where);
  }
  throw badImage(`a layer is of a kind that is not known: ${mediaType.slice(0, 100)}`, where);
}
