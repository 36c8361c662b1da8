import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFlame } from '../../bench/lib/flame.ts';

test('a profile as text names layers by their share, and functions that count', () => {
  const text = renderFlame([
    { layer: 'gateway', name: 'route', share: 10 },
    { layer: 'kernel', name: 'tcp_ack', share: 60 },
    { layer: 'gateway', name: 'record', share: 29.8 },
    { layer: 'gateway', name: 'rare', share: 0.2 },
  ]);
  const names = text.split('\n').map((line) => line.replace(/ +█+$/, ''));
  assert.deepEqual(names, [
    '100.0 %  a request',
    ' 60.0 %    kernel',
    ' 60.0 %      tcp_ack',
    ' 40.0 %    gateway',
    ' 29.8 %      record',
    ' 10.0 %      route',
  ]);
});

test('bars are as long as the share', () => {
  const [whole = '', layer = ''] = renderFlame([{ layer: 'kernel', name: 'read', share: 50 }]).split('\n');
  assert.equal(whole.split('█').length, layer.split('█').length);
  assert.equal(layer.split('█').length - 1, 25);
});
