import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checksDocument, checksFile } from '../../scripts/docs.ts';

test('docs/checks.md says what the check types declare; if not: npm run docs', () => {
  assert.equal(readFileSync(checksFile, 'utf8'), checksDocument());
});
