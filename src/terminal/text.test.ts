import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { printable } from '../core/printable.ts';
import { clip, padTo, widthOf } from './text.ts';

describe('text for a terminal', () => {
  const dangers: readonly (readonly [string, string])[] = [
    ['\u001B[31mred', String.raw`\x1b[31mred`],
    ['a\r\nb\tc', String.raw`a\r\nb\tc`],
    ['\u009B31m', String.raw`\x9b31m`],
    ['user\u202Egnp.exe', String.raw`user\u202egnp.exe`],
    ['plain, naïve, 日本', 'plain, naïve, 日本'],
  ];
  for (const [text, shown] of dangers) {
    test(`${JSON.stringify(text)} is shown as ${shown}`, () => assert.equal(printable(text), shown));
  }

  test('wide characters take two columns, combined ones no more than their base', () => {
    for (const [text, columns] of [
      ['abc', 3],
      ['日本', 4],
      ['e\u0301', 1],
      ['👩‍💻', 2],
      ['✔', 1],
    ] as const)
      assert.equal(widthOf(text), columns, text);
    assert.equal(padTo('日本', 6), '日本  ');
  });

  test('a cut text keeps within its columns and shows the cut', () => {
    assert.equal(clip('a long sentence', 7), 'a long…');
    assert.equal(clip('日本語日本語', 5), '日本…');
    assert.equal(clip('short', 5), 'short');
  });
});
