import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../cluster/objects.ts';
import { claim, type LeaseSpec, released } from './lease.ts';

const ME = { namespace: 'mayfly-system', name: 'mayfly-operator', identity: 'me' };
const NOW = 1_000_000;

function lease(spec: LeaseSpec): KubeObject {
  const metadata = { namespace: ME.namespace, name: ME.name, resourceVersion: '7' };
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
}

test('who may take a lease', () => {
  const other: LeaseSpec = { holderIdentity: 'other', leaseDurationSeconds: 15, leaseTransitions: 3 };
  for (const [found, seenAt, transitions] of [
    [null, -Infinity, 0],
    [lease(other), NOW - 14_999, null],
    [lease(other), NOW - 15_000, 4],
    [lease({ ...other, holderIdentity: '' }), NOW, 4],
    [lease({ ...other, holderIdentity: 'me' }), NOW, 3],
  ] as const) {
    const wanted = claim({ lease: found, seenAt }, ME, NOW);
    const spec = wanted?.['spec'] as LeaseSpec | undefined;
    assert.equal(spec?.leaseTransitions ?? null, transitions);
    if (wanted === null) continue;
    assert.equal(spec?.holderIdentity, 'me');
    assert.equal(wanted.metadata.resourceVersion, found?.metadata.resourceVersion);
  }
});

test('times in the lease are not believed: clocks need not agree', () => {
  const found = lease({
    holderIdentity: 'other',
    leaseDurationSeconds: 15,
    renewTime: '1999-01-01T00:00:00.000000Z',
  });
  assert.equal(claim({ lease: found, seenAt: NOW }, ME, NOW), null);
});

test('renewing keeps the time of acquiring', () => {
  const acquireTime = '2026-11-23T00:00:00.000000Z';
  const found = lease({ holderIdentity: 'me', leaseDurationSeconds: 15, acquireTime });
  const spec = claim({ lease: found, seenAt: NOW }, ME, NOW)?.['spec'] as LeaseSpec;
  assert.equal(spec.acquireTime, acquireTime);
  assert.equal(spec.renewTime, '1970-01-01T00:16:40.000000Z');
});

test('a lease that was given back is free at once', () => {
  const given = released(lease({ holderIdentity: 'other', leaseDurationSeconds: 15 }), NOW);
  assert.notEqual(claim({ lease: given, seenAt: NOW }, ME, NOW), null);
});
