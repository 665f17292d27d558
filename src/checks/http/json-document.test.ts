import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from './json-document.ts';

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

test('brackets in strings are no nesting; 200 levels are read and 201 are not', () => {
  assert.deepEqual(parseJson(JSON.stringify(['[[[[\\"[{'.repeat(100)])), ['[[[[\\"[{'.repeat(100)]);
  assert.ok(parseJson(nested(200)));
  assert.throws(() => parseJson(nested(201)), /at most 200 levels/);
});
