import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { publishedLibraries } from './go.ts';
import type { Recipe } from './recipe.ts';
import { relative } from './schemas.ts';
import { keyOf, partsFolder, stored } from './store.ts';

const cache = mkdtempSync(join(tmpdir(), 'mayfly-parts-'));
process.env['XDG_CACHE_HOME'] = cache;
process.on('exit', () => rmSync(cache, { recursive: true, force: true }));

function recipe(bring: Recipe['bring'], more: Partial<Recipe> = {}): Recipe {
  return { version: '1', about: 'a test', needs: [], inputs: [], paths: { it: 'it' }, bring, ...more };
}

test('the cache stands where XDG_CACHE_HOME says, else in the home folder', () => {
  assert.equal(partsFolder(), join(cache, 'mayfly', 'parts'));
  process.env['XDG_CACHE_HOME'] = '';
  assert.match(partsFolder(), /\/\.cache\/mayfly\/parts$/);
  process.env['XDG_CACHE_HOME'] = cache;
});

test('two that ask at once get one part, made once and whole', async () => {
  let made = 0;
  const slow = recipe(async (site) => {
    made += 1;
    assert.equal(existsSync(site.folder), false);
    await site.run('sh', ['-c', 'sleep 0.1; echo body > it'], { cwd: site.making });
  });
  const folders = await Promise.all([stored('twice', 'k', slow, {}), stored('twice', 'k', slow, {})]);
  assert.equal(made, 1);
  assert.equal(folders[0], folders[1]);
  assert.equal(readFileSync(join(folders[0], 'it'), 'utf8'), 'body\n');
  assert.equal(await stored('twice', 'k', slow, {}), folders[0]);
  assert.equal(made, 1);
});

test('a part that cannot be made says why and where the log is, and leaves nothing half-made', async () => {
  const broken = recipe(async (site) => {
    writeFileSync(join(site.making, 'it'), 'half');
    await site.run('sh', ['-c', 'echo told >&2; exit 3']);
  });
  const error: Error = await stored('broken', 'k', broken, {}).then(
    () => assert.fail('it was made'),
    (reason: Error) => reason,
  );
  const [, log] =
    /^broken 1 could not be made: sh ended with 3: told\. The log is (\S+)$/.exec(error.message) ?? [];
  assert.match(readFileSync(log as string, 'utf8'), /\$ sh -c .*\ntold\n/);
  assert.deepEqual(
    readdirSync(partsFolder()).filter((name) => name.startsWith('broken')),
    [],
  );
});

test('a recipe that does not give what it promises is no part', async () => {
  const empty = recipe(async () => {});
  await assert.rejects(stored('empty', 'k', empty, {}), /empty 1 could not be made: it lacks it\./);
});

test('with MAYFLY_PARTS=cached a part is taken from the cache or not at all', async () => {
  const made = recipe(async (site) => writeFileSync(join(site.making, 'it'), ''));
  const folder = await stored('early', 'k', made, {});
  process.env['MAYFLY_PARTS'] = 'cached';
  try {
    assert.equal(await stored('early', 'k', made, {}), folder);
    await assert.rejects(stored('late', 'k', made, {}), /^Error: late 1 is not in the cache; /);
  } finally {
    delete process.env['MAYFLY_PARTS'];
  }
});

test('the key follows everything that decides the content', () => {
  const bring = async () => {};
  const keys = [
    keyOf('a', recipe(bring), []),
    keyOf('b', recipe(bring), []),
    keyOf('a', recipe(bring, { version: '2' }), []),
    keyOf('a', recipe(bring, { inputs: ['x'] }), []),
    keyOf('a', recipe(bring, { paths: { it: 'there' } }), []),
    keyOf('a', recipe(bring), ['another part']),
  ];
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(keyOf('a', recipe(bring), []), keys[0]);
});

test("Kubernetes' libraries beside its source become published modules", () => {
  const upstream = [
    'module k8s.io/kubernetes',
    'require (',
    '\tk8s.io/api v0.0.0',
    '\tk8s.io/klog/v2 v2.120.1',
    '\tk8s.io/utils v0.0.0-20230726121419-3b25d923346b',
    ')',
    'replace (',
    '\tk8s.io/api => ./staging/src/k8s.io/api',
    ')',
  ].join('\n');
  assert.equal(
    publishedLibraries(upstream, '1.30.4'),
    upstream
      .replace('module k8s.io/kubernetes', 'module part')
      .replace('k8s.io/api v0.0.0', 'k8s.io/api v0.30.4')
      .replace('./staging/src/k8s.io/api', 'k8s.io/api v0.30.4'),
  );
});

test('schemas of Kubernetes find each other by file name', () => {
  const schema = {
    $id: 'https://example.com/api/x',
    properties: { spec: { $ref: '/api/_definitions.json#/$defs/S' } },
  };
  assert.deepEqual(JSON.parse(relative(JSON.stringify(schema))), {
    properties: { spec: { $ref: '_definitions.json#/$defs/S' } },
  });
});
