import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { duration, formatDuration, parseDuration } from './duration.ts';

describe('a duration as people write it', () => {
  const cases: readonly (readonly [string | number, number | undefined])[] = [
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['10', 10_000],
    [10, 10_000],
    [0.5, 500],
    [' 3s ', 3000],
    ['0', 0],
    ['999999999999s', 999_999_999_999_000],
    ['1s2', undefined],
    ['1 s', undefined],
    ['-1s', undefined],
    ['1e3', undefined],
    ['', undefined],
    ['s', undefined],
    ['1w', undefined],
    [Number.NaN, undefined],
    [Infinity, undefined],
  ];
  for (const [written, expected] of cases) {
    test(`${JSON.stringify(written)} is ${expected} ms`, () => assert.equal(parseDuration(written), expected));
  }

  test('is written in the shortest exact way', () => {
    for (const [ms, text] of [
      [86_400_000, '1d'],
      [3_600_000, '1h'],
      [90_000, '90s'],
      [60_000, '1m'],
      [1600, '1600ms'],
      [0, '0ms'],
    ] as const) {
      assert.equal(formatDuration(ms), text);
      assert.equal(parseDuration(text), ms);
    }
  });
});

describe('an option that is a duration', () => {
  const option = duration({ min: 10, max: 60_000 });

  test('MU25: both ends of its range are allowed, and nothing beyond', () => {
    for (const [written, expected] of [
      ['10ms', 10],
      ['1m', 60_000],
      [60, 60_000],
    ] as const)
      assert.equal(option.parse(written), expected);
    for (const written of ['9ms', '60001ms', 61, '2m', true, null, ''])
      assert.equal(option.safeParse(written).success, false);
  });

  test('may have a default', () => {
    const schema = z.strictObject({ wait: duration({ min: 10, max: 60_000, default: 3000 }) });
    assert.deepEqual(schema.parse({}), { wait: 3000 });
    assert.deepEqual(schema.parse({ wait: '1s' }), { wait: 1000 });
  });
});
