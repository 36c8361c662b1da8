import type { Stored } from './documents.ts';
import { isDigest } from '../digest.ts';
import type { Repository } from './repository.ts';

/** Reads from `far`, and keeps what it read in `near`, so that it is there the next time. What goes by digest is asked of `near` first. */
export function readThrough(near: Repository, far: Repository): Repository {
  return {
    ...far,
    async find(reference) {
      const byDigest = reference !== null && isDigest(reference);
      if (byDigest) {
        const known = await near.find(reference).catch(() => null);
        if (known !== null) return known;
      }
      const found: Stored | null = await far.find(reference);
      if (found !== null)
        await near.putManifest(found, { tag: byDigest ? null : reference, root: !byDigest });
      return found;
    },
    async blob(descriptor) {
      if (await near.hasBlob(descriptor)) return near.blob(descriptor);
      const bytes = await far.blob(descriptor);
      await near.putBlob(bytes, descriptor.digest);
      return bytes;
    },
  };
}
