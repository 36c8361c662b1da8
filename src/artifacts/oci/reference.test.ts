import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MayflyError } from '../../model/errors.ts';
import { formatReference, parseReference, tagBeside } from './reference.ts';

const DIGEST = `sha256:${'a1'.repeat(32)}`;

test('names of images, with and without what may be left out', () => {
  const cases: [string, ReturnType<typeof parseReference>][] = [
    ['localhost/a', { registry: 'localhost', repository: 'a', tag: null, digest: null }],
    ['localhost:5000/a/b:1.0', { registry: 'localhost:5000', repository: 'a/b', tag: '1.0', digest: null }],
    [
      `oci://registry.example.com/shop/orders@${DIGEST}`,
      { registry: 'registry.example.com', repository: 'shop/orders', tag: null, digest: DIGEST },
    ],
    [
      `registry.example.com:443/a__b/c-d.e:v_1-x@${DIGEST}`,
      { registry: 'registry.example.com:443', repository: 'a__b/c-d.e', tag: 'v_1-x', digest: DIGEST },
    ],
    ['docker.io/busybox', { registry: 'docker.io', repository: 'library/busybox', tag: null, digest: null }],
    ['[::1]:5000/a', { registry: '[::1]:5000', repository: 'a', tag: null, digest: null }],
  ];
  for (const [text, expected] of cases) {
    const parsed = parseReference(text);
    assert.deepEqual(parsed, expected, text);
    assert.deepEqual(parseReference(formatReference(parsed)), expected, text);
  }
});

test('what is not a name says why', () => {
  const cases: [string, RegExp][] = [
    ['orders', /it names no registry/],
    ['shop/orders:1.0', /it names no registry.*docker\.io/],
    ['registry.example.com/', /the repository is not one/],
    ['registry.example.com/Orders', /the repository is not one/],
    ['registry.example.com/a/../b', /the repository is not one/],
    ['registry.example.com/a//b', /the repository is not one/],
    ['registry.example.com/a:', /the tag is not one/],
    [`registry.example.com/a:${'x'.repeat(129)}`, /the tag is not one/],
    ['registry.example.com/a@sha256:12', /the digest is not sha256/],
    ['registry.example.com/a@md5:d41d8cd98f00b204e9800998ecf8427e', /the digest is not sha256/],
    ['user:password@registry.example.com/a', /the registry is not a host name/],
    ['registry.example.com:99999/a', /the registry is not a host name/],
    ['registry.example.com:x/a', /the registry is not a host name/],
    [`registry.example.com/${'a/'.repeat(200)}a`, /the repository is not one/],
    ['x'.repeat(700), /too long/],
  ];
  for (const [text, expected] of cases) {
    assert.throws(
      () => parseReference(text),
      (error) =>
        error instanceof MayflyError && error.code === 'bad-reference' && expected.test(error.message),
      text,
    );
  }
});

test('what belongs to an image stands beside it under a tag made of its digest', () => {
  assert.equal(tagBeside(DIGEST, '.sig'), `sha256-${'a1'.repeat(32)}.sig`);
  assert.equal(tagBeside(DIGEST, ''), `sha256-${'a1'.repeat(32)}`);
});
