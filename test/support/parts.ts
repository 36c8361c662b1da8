import { appendFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { PartName, PathName } from '../../scripts/parts/catalogue.ts';
import { type FoundPart, part } from '../../scripts/parts/part.ts';

/**
 * For a test whose outside part is missing: a failure in CI, elsewhere a skip that the run names at its end.
 * Returns true when the test must stop.
 */
export function missingPart(t: TestContext, what: string): boolean {
  if (process.env.CI === 'true') throw new Error(`A part that this test needs is missing: ${what}`);
  if (process.env.MAYFLY_UNTESTED !== undefined)
    appendFileSync(process.env.MAYFLY_UNTESTED, `${t.name}: ${what}\n`);
  t.skip(what);
  return true;
}

/** A part of scripts/parts, or undefined when it is not to be had and the test must stop. */
export async function needPart<N extends PartName>(
  t: TestContext,
  name: N,
): Promise<FoundPart<PathName<N>> | undefined> {
  const found = await part(name);
  if (!('missing' in found)) return found;
  missingPart(t, found.missing);
  return undefined;
}
