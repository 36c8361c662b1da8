/**
 * Writes the image of the platform, gateway and operator, as an OCI archive: for `ctr images import`, `docker load`,
 * `skopeo copy` and `mayfly image push`. Needs no Docker. For the architecture of the machine that it runs on.
 *
 *   npm run image -- --output mayfly.tar --tag 0.1.0
 */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openLocation, parseLocation } from '../src/artifacts/oci/location.ts';
import { VERSION } from '../src/model/version.ts';
import { part } from './parts/part.ts';
import { makePlatformImage } from './platform-image/assemble.ts';

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    output: { type: 'string', short: 'o', default: 'mayfly.tar' },
    tag: { type: 'string', default: VERSION },
  },
});

const libraries = await part('node-libraries');
if ('missing' in libraries) fail(libraries.missing);
else {
  const { content, root: image, layers } = makePlatformImage(root, libraries);
  const output = resolve(values.output);
  rmSync(output, { force: true });
  const repository = await openLocation(parseLocation(output), { env: {} });
  await content.writeTo(repository, image.digest, values.tag);
  for (const { name, bytes } of layers) console.log(`${megabytes(bytes)}  ${name}`);
  console.log(`${megabytes(layers.reduce((sum, { bytes }) => sum + bytes, 0))}  ${output}`);
  console.log(image.digest);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1).padStart(6)} MB`;
}

function fail(message: string): void {
  console.error(`Cannot make the image: ${message}`);
  process.exitCode = 1;
}
