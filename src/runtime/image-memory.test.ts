import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ImageMemory } from './image-memory.ts';

test('allocations never overlap, and freed room is used again', () => {
  const step = fc.oneof(
    fc.record({ allocate: fc.integer({ min: 1, max: 200_000 }) }),
    fc.record({ free: fc.nat(50) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const memory = new ImageMemory();
      const held: { address: number; length: number }[] = [];
      for (const action of steps) {
        if ('allocate' in action) {
          const mine = { address: memory.allocate(action.allocate), length: action.allocate };
          assert.ok(mine.address + mine.length <= memory.bytes.length);
          for (const other of held) {
            const apart =
              mine.address + mine.length <= other.address || other.address + other.length <= mine.address;
            assert.ok(apart, `${mine.address}+${mine.length} and ${other.address}+${other.length}`);
          }
          held.push(mine);
        } else if (held.length > 0) {
          const [gone] = held.splice(action.free % held.length, 1);
          if (gone !== undefined) memory.free(gone.address, gone.length);
        }
      }
      for (const { address, length } of held) memory.free(address, length);
      const size = memory.bytes.length;
      if (size > 0) assert.equal(memory.allocate(size), 0, 'the holes merged into one');
      assert.equal(memory.bytes.length, size);
    }),
    { numRuns: 100 },
  );
});
