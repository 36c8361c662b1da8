import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuQuantity, memoryQuantity } from './quantity.ts';

test('memory as the API server writes it', () => {
  for (const [bytes, text] of [
    [64 * 2 ** 20, '64Mi'],
    [65_536, '64Ki'],
    [1_536 * 2 ** 20, '1536Mi'],
    [500_000, '500k'],
    [1_000_000_000, '1G'],
    [65_537, '65537'],
    [1_024_000, '1000Ki'],
  ] as const) {
    assert.equal(memoryQuantity(bytes), text);
  }
});

test('CPU as the API server writes it', () => {
  for (const [millicores, text] of [
    [100, '100m'],
    [1500, '1500m'],
    [2000, '2'],
    [1_000_000, '1k'],
  ] as const) {
    assert.equal(cpuQuantity(millicores), text);
  }
});
