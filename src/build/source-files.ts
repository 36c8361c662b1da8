import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** What a build looked at: path → digest of the content, or null for a file that was not there (its appearance matters too). */
export type FilesSeen = Record<string, string | null>;

/** The text of a file, or null when there is none; noted in `seen`. */
export async function readSource(path: string, seen: FilesSeen): Promise<string | null> {
  try {
    const text = await readFile(path, 'utf8');
    seen[path] = digestOf(text);
    return text;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'EISDIR') throw error;
    seen[path] = null;
    return null;
  }
}

/** Whether everything that a build looked at is still as it was. */
export async function unchanged(seen: FilesSeen): Promise<boolean> {
  for (const [path, digest] of Object.entries(seen)) {
    const now: FilesSeen = {};
    await readSource(path, now);
    if (now[path] !== digest) return false;
  }
  return true;
}

export function digestOf(content: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
