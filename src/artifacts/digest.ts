import { createHash } from 'node:crypto';
import { MayflyError } from '../model/errors.ts';

const pattern = /^sha256:[0-9a-f]{64}$/;

/** The name of some bytes: `sha256:<64 hex digits>`, as OCI writes it. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function isDigest(text: string): boolean {
  return pattern.test(text);
}

/** The hex part, safe as a file name. Throws MayflyError for anything that is not a sha256 digest. */
export function hexOf(digest: string): string {
  if (!isDigest(digest)) {
    throw new MayflyError('Cannot use this digest: it is not sha256:<64 hex digits>', {
      where: JSON.stringify(digest.slice(0, 100)),
      code: 'bad-digest',
    });
  }
  return digest.slice('sha256:'.length);
}
