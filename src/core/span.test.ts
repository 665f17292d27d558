import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSpan } from './span.ts';

test('CK6: a span is said in units that a person reads', () => {
  const table: readonly (readonly [number, string])[] = [
    [0, '0.000 ms'],
    [-0.4, '-0.400 ms'],
    [999.9, '999.900 ms'],
    [1000, '1.000 s'],
    [-59_999, '-59.999 s'],
    [60_000, '1 min'],
    [303_000, '5 min 3 s'],
    [3_599_998, '1 h'],
    [-3_600_000, '-1 h'],
    [5_400_000, '1 h 30 min'],
    [86_399_999, '1 d'],
    [273_600_000, '3 d 4 h'],
    [-169_038_109_938, '-5.4 years'],
  ];
  for (const [spanMs, text] of table) assert.equal(formatSpan(spanMs), text);
});
