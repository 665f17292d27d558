import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SeqRange } from './entry.ts';
import { countOf, RangeSet, rangesOf } from './ranges.ts';

const range = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 12 }))
  .map(([from, length]): SeqRange => [from, from + length]);

const numbers = ([from, to]: SeqRange): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('a set of ranges knows the same numbers as a set of numbers', () => {
  const step = fc.record({ range, isAdded: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), range, (steps, asked) => {
      const ranges = new RangeSet();
      const model = new Set<number>();
      for (const { range, isAdded } of steps) {
        if (isAdded) ranges.add(range);
        else ranges.delete(range);
        for (const number of numbers(range))
          if (isAdded) model.add(number);
          else model.delete(number);
      }
      const sorted = [...model].toSorted((a, b) => a - b);
      assert.deepEqual(ranges.ranges.flatMap(numbers), sorted);
      assert.deepEqual(ranges.ranges, rangesOf(sorted).ranges);
      assert.equal(countOf(ranges.ranges), model.size);
      assert.deepEqual(
        ranges.missingIn(asked).flatMap(numbers),
        numbers(asked).filter((number) => !model.has(number)),
      );
      assert.equal(ranges.has(asked[0]), model.has(asked[0]));
    }),
    { numRuns: 1000 },
  );
});
