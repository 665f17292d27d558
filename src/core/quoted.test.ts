import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quoted } from './quoted.ts';

test('a text from outside is shown in quotes, on one line, without what drives a terminal, and short', () => {
  assert.equal(quoted('a "b"\r\n\u001b[2J'), String.raw`"a \"b\"\r\n\u001b[2J"`);
  assert.equal(quoted('\u009b31m\u202e'), String.raw`"\x9b31m\u202e"`);
  assert.equal(quoted('abcdef', 3), '"abc…"');
  assert.equal(quoted('abc', 3), '"abc"');
  assert.equal(quoted(''), '""');
});
