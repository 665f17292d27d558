import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DueHeap } from './due-heap.ts';

test('what is pushed in any order, and in between, comes out in the order it is due', () => {
  const times = fc.array(fc.nat({ max: 50 }), { maxLength: 60 });
  fc.assert(
    fc.property(times, times, (filled, pushed) => {
      const heap = new DueHeap<{ dueAt: number }>();
      heap.fill(filled.map((dueAt) => ({ dueAt })));
      for (const dueAt of pushed) heap.push({ dueAt });
      const popped: number[] = [];
      for (let item = heap.pop(); item; item = heap.pop()) popped.push(item.dueAt);
      assert.deepEqual(
        popped,
        [...filled, ...pushed].toSorted((a, b) => a - b),
      );
      assert.equal(heap.first, undefined);
    }),
  );
});
