import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { digestOf } from '../digest.ts';
import { makeProvenance } from './provenance.ts';
import { makeSbom } from './sbom.ts';

/** The published schemas, as the CycloneDX library ships them. */
const SCHEMAS = join(
  dirname(fileURLToPath(import.meta.resolve('@cyclonedx/cyclonedx-library/package.json'))),
  'res/schema',
);
const readSchema = (name: string) => JSON.parse(readFileSync(join(SCHEMAS, name), 'utf8')) as object;

function validator() {
  const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
  formats.default(ajv);
  for (const name of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json']) {
    ajv.addSchema({ ...readSchema(name), $id: `http://cyclonedx.org/schema/${name}` });
  }
  return ajv.compile(readSchema('bom-1.6.SNAPSHOT.schema.json'));
}

const digest = digestOf(Buffer.from('image'));
const order = {
  name: 'orders',
  version: '1.0',
  digest,
  created: new Date(0),
  toolVersion: '0.1.0',
  ingredients: [
    { type: 'file', name: 'app.wasm', digest: digestOf(Buffer.from('app')) },
    {
      type: 'library',
      name: 'assemblyscript',
      version: '0.28.20',
      purl: 'pkg:npm/assemblyscript@0.28.20',
      license: 'Apache-2.0',
    },
  ],
} as const;

test('the bill of materials fits the schema of CycloneDX 1.6, and names what went in', () => {
  const validate = validator();
  const sbom = makeSbom(order);
  assert.equal(validate(sbom), true, JSON.stringify(validate.errors));
  assert.deepEqual(
    sbom.components.map(({ name }) => name),
    ['app.wasm', 'assemblyscript'],
  );
  assert.equal(sbom.metadata.component['bom-ref'], digest);
  // The check itself can fail.
  assert.equal(validate({ ...sbom, serialNumber: 'x' }), false);
  assert.equal(validate({ ...sbom, components: [{ type: 'nonsense' }] }), false);
});

test('the same image has the same bill, another image another one', () => {
  assert.deepEqual(makeSbom(order), makeSbom(order));
  assert.notEqual(
    makeSbom({ ...order, digest: digestOf(Buffer.from('b')) }).serialNumber,
    makeSbom(order).serialNumber,
  );
});

test('the provenance is an in-toto statement about the image', () => {
  const statement = makeProvenance({
    name: 'orders',
    digest,
    toolVersion: '0.1.0',
    parameters: { source: 'orders' },
    materials: [{ name: 'app.wasm', digest: digestOf(Buffer.from('app')) }],
  });
  assert.equal(statement._type, 'https://in-toto.io/Statement/v1');
  assert.equal(statement.predicateType, 'https://slsa.dev/provenance/v1');
  assert.deepEqual(statement.subject, [{ name: 'orders', digest: { sha256: digest.slice(7) } }]);
  const { buildDefinition, runDetails } = statement.predicate;
  assert.match(buildDefinition.buildType, /^https:/);
  assert.match(runDetails.builder.id, /^https:/);
  assert.deepEqual(buildDefinition.externalParameters, { source: 'orders' });
  assert.equal(buildDefinition.resolvedDependencies[0]?.digest.sha256.length, 64);
});
