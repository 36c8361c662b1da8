/** Where oha is: installed, in the cache of parts, or (it is built in minutes) brought there. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { catalogue } from '../../scripts/parts/catalogue.ts';
import { part } from '../../scripts/parts/part.ts';
import { keyOf, partsFolder } from '../../scripts/parts/store.ts';
import { type Found } from './cache.ts';
import { findProgram } from './load.ts';

/** A quick run builds nothing: it uses what is there, and says so when there is nothing. */
export async function ohaProgram(quick: boolean): Promise<Found> {
  const installed = findProgram('oha');
  if (installed !== null) return { path: installed };
  const folder = join(partsFolder(), `oha-${keyOf('oha', catalogue.oha, [])}`);
  if (quick && !existsSync(folder))
    return { missing: 'oha is not in the cache; `node scripts/parts/main.ts oha` builds it in minutes' };
  const found = await part('oha');
  return 'missing' in found ? found : { path: found.paths.oha };
}
