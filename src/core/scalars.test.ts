import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { wholeNumber } from './numbers.ts';
import { readWritten } from './scalars.ts';

const schema = z.strictObject({
  text: z.string().optional(),
  texts: z.array(z.string()).optional(),
  byName: z.record(z.string(), z.string()).optional(),
  family: z.enum(['auto', '4', '6']).optional(),
  version: z.enum(['1.1', '2']).optional(),
  literal: z.literal(3).optional(),
  count: wholeNumber(1, 100).optional(),
  flag: z.boolean().optional(),
  inside: z.strictObject({ flag: z.boolean(), text: z.string() }).optional(),
});

describe('CK1: a scalar that has one meaning where it stands is taken', () => {
  const cases: readonly (readonly [written: unknown, taken: unknown])[] = [
    [{ text: 7 }, { text: '7' }],
    [{ text: true }, { text: 'true' }],
    [{ texts: 'ok' }, { texts: ['ok'] }],
    [{ texts: 200 }, { texts: ['200'] }],
    [{ texts: [200, 'x', false] }, { texts: ['200', 'x', 'false'] }],
    [{ byName: { a: 1, b: 'c' } }, { byName: { a: '1', b: 'c' } }],
    [{ family: 4 }, { family: '4' }],
    [{ version: 1.1 }, { version: '1.1' }],
    [{ literal: '3' }, { literal: 3 }],
    [{ count: '20' }, { count: 20 }],
    [{ flag: 'yes' }, { flag: true }],
    [{ flag: 'Off' }, { flag: false }],
    [{ inside: { flag: 'on', text: 1 } }, { inside: { flag: true, text: '1' } }],
  ];
  for (const [written, taken] of cases) {
    test(`${JSON.stringify(written)} is ${JSON.stringify(taken)}`, () => {
      assert.deepEqual(readWritten(schema, written).result.data, taken);
    });
  }

  const refused: readonly unknown[] = [
    { text: null },
    { text: ['a'] },
    { texts: null },
    { texts: { a: 'b' } },
    { family: 5 },
    { count: '' },
    { count: true },
    { count: null },
    { count: [] },
    { count: '0x10' },
    { count: '1e1' },
    { count: 'many' },
    { count: '101' },
    { flag: 1 },
    { flag: 'y' },
    { flag: 'constructor' },
    { flag: null },
    7,
    null,
  ];
  for (const written of refused) {
    test(`${JSON.stringify(written)} stays a mistake`, () => {
      assert.equal(readWritten(schema, written).result.success, false);
    });
  }

  test('where a text is wanted it is the text that was written, not what its value looks like', () => {
    const sources: Readonly<Record<string, string>> = {
      text: '007',
      'texts.0': '1e3',
      'texts.1': '0x10',
      version: '2.0',
    };
    const written = { text: 7, texts: [1000, 16], version: 2 };
    const { result } = readWritten(schema, written, (path) => sources[path.join('.')]);
    assert.equal(result.success, false);
    const { version: _refused, ...rest } = written;
    assert.deepEqual(readWritten(schema, rest, (path) => sources[path.join('.')]).result.data, {
      text: '007',
      texts: ['1e3', '0x10'],
    });
  });

  test('what was given is not changed', () => {
    const written = { texts: 'ok', inside: { flag: 'on', text: 1 } };
    readWritten(schema, written);
    assert.deepEqual(written, { texts: 'ok', inside: { flag: 'on', text: 1 } });
  });
});

function keys(count: number): readonly (readonly [string, number])[] {
  return Array.from({ length: count }, (_, at) => [`k${at}`, at] as const);
}

describe('AT14: many scalars of another kind', () => {
  test('are all taken, and what was given stays as it was', () => {
    const given = { byName: Object.fromEntries(keys(20_000)), texts: Array.from({ length: 20_000 }, (_, at) => at) };
    const { input, result } = readWritten(schema, given);
    assert.deepEqual(result.data, {
      byName: Object.fromEntries(keys(20_000).map(([key, at]) => [key, String(at)])),
      texts: given.texts.map(String),
    });
    assert.equal(given.byName['k7'], 7);
    assert.deepEqual(input, result.data);
  });

  test('of one mapping that stands in two places are taken as each place wants them', () => {
    const shared = { a: 1 };
    const twice = z.strictObject({
      texts: z.record(z.string(), z.string()),
      numbers: z.record(z.string(), z.number()),
    });
    assert.deepEqual(readWritten(twice, { texts: shared, numbers: shared }).result.data, {
      texts: { a: '1' },
      numbers: { a: 1 },
    });
  });
});
