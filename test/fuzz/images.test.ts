/** Every parser of images meets bytes that nobody meant: it answers, or refuses in the words that people see; it never throws anything else. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { ImageContent } from '../../src/artifacts/oci/content.ts';
import { parseConfig, parseDocument } from '../../src/artifacts/oci/documents.ts';
import { fileInLayers, unpackLayer } from '../../src/artifacts/oci/layer.ts';
import { openLayout } from '../../src/artifacts/oci/layout.ts';
import type { LayoutFiles } from '../../src/artifacts/oci/files.ts';
import { inspectImage } from '../../src/artifacts/oci/inspect.ts';
import { limits } from '../../src/artifacts/oci/limits.ts';
import { parseLocation } from '../../src/artifacts/oci/location.ts';
import { LAYER_GZIP } from '../../src/artifacts/oci/media-types.ts';
import { formatReference, parseReference } from '../../src/artifacts/oci/reference.ts';
import { parseChallenges } from '../../src/artifacts/oci/registry/challenge.ts';
import { credentialsIn, parseAuthFile } from '../../src/artifacts/oci/registry/credentials.ts';
import { readPublicKey } from '../../src/artifacts/oci/signing/keys.ts';
import { formatPayload, parsePayload } from '../../src/artifacts/oci/signing/payload.ts';
import { unsealKey } from '../../src/artifacts/oci/signing/sealed-key.ts';
import { readTar } from '../../src/artifacts/oci/tar-read.ts';
import { writeTar } from '../../src/artifacts/oci/tar-write.ts';
import { MayflyError } from '../../src/model/errors.ts';
import { testImage } from '../support/images.ts';
import { Random } from './random.ts';

const RUNS = Number(process.env['MAYFLY_FUZZ_RUNS'] ?? 2000);

/** What a parser gives, or null when it refused as it should. */
function attempt<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof MayflyError) return null;
    throw error;
  }
}

/** Some bytes changed, removed or repeated. */
function mutate(random: Random, bytes: Uint8Array): Buffer {
  let result = Buffer.from(bytes);
  for (let count = 1 + random.below(6); count > 0 && result.length > 0; count--) {
    const at = random.below(result.length);
    const length = random.below(Math.min(600, result.length - at) + 1);
    const kind = random.below(4);
    if (kind === 0) result[at] = random.below(256);
    else if (kind === 1) result[at] = random.pick([0, 0x20, 0x22, 0x2f, 0x30, 0x37, 0x7b, 0x80, 0xff]);
    else if (kind === 2) result = Buffer.concat([result.subarray(0, at), result.subarray(at + length)]);
    else result = Buffer.concat([result.subarray(0, at + length), result.subarray(at)]);
  }
  return result;
}

/** Calls `check` with mutants of the seeds; says how many were taken and how many refused, and wants to see both. */
function mutants(seeds: readonly Uint8Array[], check: (bytes: Buffer) => unknown): string {
  const counts = { taken: 0, refused: 0 };
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = new Random(seed);
    const bytes = mutate(random, random.pick(seeds));
    counts[attempt(() => check(bytes) ?? true) === null ? 'refused' : 'taken']++;
  }
  assert.ok(
    counts.refused > 0 && counts.taken > 0,
    `the mutations were too mild or too strong: ${JSON.stringify(counts)}`,
  );
  return JSON.stringify(counts);
}

const { content } = testImage('seed');
const documents = content.manifests.map(({ manifest }) => manifest.bytes);
const configs = [...content.blobs.values()].filter((bytes) => bytes[0] === 0x7b);

test('manifests, indexes and configurations', (t) => {
  t.diagnostic(mutants(documents, (bytes) => parseDocument(bytes, 'fuzz')));
  t.diagnostic(mutants(configs, (bytes) => parseConfig(bytes, 'fuzz')));
  const json = fc.json({ maxDepth: 6 });
  fc.assert(
    fc.property(json, (text) => {
      attempt(() => parseDocument(Buffer.from(text), 'fuzz'));
      attempt(() => parseConfig(Buffer.from(text), 'fuzz'));
    }),
    { numRuns: RUNS },
  );
  attempt(() => parseDocument(Buffer.from('['.repeat(limits.manifestBytes)), 'fuzz'));
  attempt(() => parseDocument(Buffer.from(`{"manifests":${'['.repeat(1e6)}`), 'fuzz'));
});

test('names of images: what is taken is written back the same, and stays a path within its registry', () => {
  const word = fc.constantFrom(
    'a',
    'B',
    '0',
    '.',
    '..',
    '-',
    '_',
    '__',
    '/',
    '//',
    ':',
    '@',
    'sha256:',
    'oci://',
    '%2e',
    '\0',
    '[',
    ']',
    'é',
    ' ',
    'localhost',
    'x.io',
    `sha256:${'0'.repeat(64)}`,
  );
  const names = fc.oneof(
    fc.array(word, { maxLength: 12 }).map((parts) => parts.join('')),
    fc.string(),
  );
  fc.assert(
    fc.property(names, (text) => {
      attempt(() => parseLocation(text));
      const reference = attempt(() => parseReference(text));
      if (reference === null) return;
      assert.deepEqual(parseReference(formatReference(reference)), reference);
      const url = new URL(`${reference.repository}/manifests/x`, `https://${reference.registry}/v2/`);
      assert.equal(url.pathname, `/v2/${reference.repository}/manifests/x`);
      assert.equal(url.username + url.password + url.search + url.hash, '');
    }),
    { numRuns: RUNS * 5 },
  );
});

test('tars: nothing is named outside, and nothing is read beyond the end', (t) => {
  const files = [
    { name: 'app.wasm', bytes: Buffer.alloc(700, 1) },
    { name: 'etc/passwd', bytes: Buffer.from('root') },
    { name: '.wh.app.wasm', bytes: Buffer.alloc(0) },
  ];
  const pax = writeTar([{ name: 'pax', bytes: Buffer.from('16 path=a/b/c/d\n12 size=100\n') }]).subarray(
    0,
    -1024,
  );
  pax.write('x', 156);
  const seeds = [writeTar(files), Buffer.concat([pax, writeTar(files)])];
  /** A header's sum must be right for the mutation to get anywhere. */
  const mend = (tar: Buffer) => {
    for (let at = 0; at + 512 <= tar.length; at += 512) {
      const header = tar.subarray(at, at + 512);
      if (header.subarray(257, 262).toString() !== 'ustar') continue;
      header.fill(' ', 148, 156);
      const sum = header.reduce((total, byte) => total + byte, 0);
      header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    }
    return tar;
  };
  const check = (bytes: Buffer) => {
    for (const { name, bytes: own } of readTar(mend(bytes), 'fuzz')) {
      assert.ok(!name.startsWith('/') && !name.split('/').includes('..') && !name.includes('\0'));
      assert.ok(
        own.byteOffset >= bytes.byteOffset && own.byteOffset + own.length <= bytes.byteOffset + bytes.length,
      );
    }
    fileInLayers([bytes], 'app.wasm', 'fuzz');
  };
  t.diagnostic(mutants(seeds, check));
});

test('layers', (t) => {
  const packed = gzipSync(writeTar([{ name: 'app.wasm', bytes: Buffer.alloc(3000, 7) }]));
  const layer = { mediaType: LAYER_GZIP, digest: '', size: 0 };
  const whole = createHash('sha256')
    .update(unpackLayer(packed, layer, undefined, 'fuzz'))
    .digest('hex');
  const counts = { same: 0, refused: 0 };
  for (let seed = 1; seed <= RUNS; seed++) {
    const bytes = mutate(new Random(seed), packed);
    // Whatever comes through is what the configuration named.
    const tar = attempt(() => unpackLayer(bytes, layer, `sha256:${whole}`, 'fuzz'));
    counts[tar === null ? 'refused' : 'same']++;
  }
  assert.ok(counts.refused > RUNS / 2);
  t.diagnostic(JSON.stringify(counts));
});

/** A layout in memory. */
function memoryFiles(files: Map<string, Uint8Array>): LayoutFiles {
  return {
    label: 'fuzz',
    read: async (name, most) => {
      const bytes = files.get(name) ?? null;
      return bytes !== null && bytes.length > most ? null : bytes;
    },
    write: async (name, bytes) => void files.set(name, bytes),
    finish: async () => {},
  };
}

test('layouts and what docker save writes', async () => {
  const seed = new Map<string, Uint8Array>();
  await content.writeTo(
    await openLayout(memoryFiles(seed)),
    content.manifests.at(-1)?.manifest.digest ?? '',
    'latest',
  );
  const image = new ImageContent();
  const layer = writeTar([{ name: 'app.wasm', bytes: Buffer.from('x') }]);
  const diffId = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
  image.json({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } }, 'x');
  const docker = new Map<string, Uint8Array>([
    ['manifest.json', Buffer.from('[{"Config":"config.json","RepoTags":["a:1"],"Layers":["1/layer.tar"]}]')],
    ['config.json', [...image.blobs.values()][0] as Uint8Array],
    ['1/layer.tar', layer],
  ]);
  let taken = 0;
  for (let run = 1; run <= RUNS / 4; run++) {
    const random = new Random(run);
    const files = new Map(random.oneIn(2) ? seed : docker);
    const name = random.pick([...files.keys()]);
    files.set(name, mutate(random, files.get(name) as Uint8Array));
    try {
      const layout = await openLayout(memoryFiles(files));
      await inspectImage(layout, null);
      taken++;
    } catch (error) {
      assert.ok(error instanceof MayflyError, String((error as Error).stack));
    }
    for (const written of files.keys()) assert.ok(!join('/', written).includes('..'), written);
  }
  assert.ok(taken > 0 && taken < RUNS / 4);
});

test('WWW-Authenticate', () => {
  const piece = fc.constantFrom(
    'Bearer',
    'Basic',
    ' ',
    ',',
    '=',
    '"',
    '\\',
    'realm',
    'service',
    'x',
    'YWJj==',
    '\t',
    '\u0000',
  );
  const header = fc.oneof(
    fc.array(piece, { maxLength: 30 }).map((parts) => parts.join('')),
    fc.string(),
  );
  fc.assert(
    fc.property(header, (text) => {
      for (const { scheme, params } of parseChallenges(text)) {
        assert.match(scheme, /^[^\s,="]+$/);
        for (const name of params.keys()) assert.equal(name, name.toLowerCase());
      }
    }),
    { numRuns: RUNS * 5 },
  );
  const values = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ unit: 'grapheme-ascii' }), {
    noNullPrototype: true,
    minKeys: 1,
  });
  fc.assert(
    fc.property(values, (params) => {
      const text = Object.entries(params).map(
        ([name, value]) => `${name}="${value.replaceAll(/["\\]/g, '\\$&')}"`,
      );
      const [challenge] = parseChallenges(`Bearer ${text.join(', ')}, Basic realm="x"`);
      assert.deepEqual(Object.fromEntries(challenge?.params ?? []), params);
    }),
    { numRuns: RUNS },
  );
  assert.deepEqual(parseChallenges(`Bearer ${'a="b",'.repeat(1e6)}`), []);
});

test("Docker's configuration", () => {
  const seed = Buffer.from(
    '{"auths":{"r.example.com":{"auth":"YTpi"},"https://index.docker.io/v1/":{"identitytoken":"x"}},"credHelpers":{"a":"b"},"credsStore":""}',
  );
  mutants([seed], (bytes) => {
    const config = parseAuthFile(bytes.toString('utf8'), 'fuzz');
    credentialsIn(config, 'r.example.com', 'a/b', 'fuzz');
    return true;
  });
  fc.assert(
    fc.property(fc.json(), (text) => {
      attempt(() => credentialsIn(parseAuthFile(text, 'fuzz'), 'r.example.com', 'a', 'fuzz'));
    }),
    { numRuns: RUNS },
  );
});

test('keys and payloads', () => {
  const payload = formatPayload({ identity: 'r.example.com/a', digest: `sha256:${'0'.repeat(64)}` });
  for (let seed = 1; seed <= RUNS; seed++) parsePayload(mutate(new Random(seed), payload));
  const label = 'ENCRYPTED SIGSTORE PRIVATE KEY';
  // Small enough to be derived thousands of times.
  const box = {
    kdf: { name: 'scrypt', params: { N: 2, r: 1, p: 1 }, salt: 'AAAA' },
    cipher: { name: 'nacl/secretbox', nonce: 'A'.repeat(32) },
    ciphertext: 'AAAA',
  };
  for (let seed = 1; seed <= RUNS; seed++) {
    const body = mutate(new Random(seed), Buffer.from(JSON.stringify(box))).toString('base64');
    assert.equal(
      attempt(() => unsealKey(`-----BEGIN ${label}-----\n${body}\n-----END ${label}-----`, '', 'fuzz')),
      null,
    );
    assert.equal(
      attempt(() => readPublicKey(body, 'fuzz')),
      null,
    );
  }
});
