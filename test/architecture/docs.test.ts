import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { configurationDocument, configurationFile } from '../../scripts/configuration-docs.ts';
import { checksDocument, checksFile } from '../../scripts/docs.ts';
import { notifiersDocument, notifiersFile } from '../../scripts/notifier-docs.ts';
import { readConfig } from '../../src/config/config.ts';
import { topKeys } from '../../src/config/file-top.ts';

test('docs/checks.md says what the check types declare; if not: npm run docs', () => {
  assert.equal(readFileSync(checksFile, 'utf8'), checksDocument());
});

test('docs/notifiers.md says what the notifiers declare; if not: npm run docs', () => {
  assert.equal(readFileSync(notifiersFile, 'utf8'), notifiersDocument());
});

describe('SI10: docs/configuration.md', () => {
  const text = readFileSync(configurationFile, 'utf8');

  test('says what the schemas declare; if not: npm run docs', () => assert.equal(text, configurationDocument()));

  const blocks = [...text.matchAll(/```(?:yaml|json)\n([^]*?)```/g)].map(([, block = '']) => block);
  test('has examples', () => assert.ok(blocks.length >= 8));
  for (const [index, block] of blocks.entries())
    test(`example ${index + 1} is a configuration without mistakes`, () => {
      const { config, mistakes } = readConfig(block, {});
      assert.deepEqual(mistakes, []);
      assert.ok(config && config.monitors.length + config.rooms.length > 0);
    });

  test('has a row for every key', () => {
    for (const key of topKeys) assert.match(text, new RegExp(`^## ${key}$`, 'm'));
    assert.doesNotMatch(text, /^\| `[^`]*` \|[^|]*\|[^|]*\|[^|]*\|\s*\|$/m, 'a key without a meaning');
  });
});
