import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readDefinition } from '../../config/definition.ts';
import { withSecretsOf } from './hidden-secrets.ts';

const definition = {
  name: 'web',
  type: 'http',
  target: 'http://h/?key=in-query&page=1',
  options: { auth: { user: 'ann', password: 'of-auth' }, headers: { 'X-Key': 'of-header' } },
};

describe('SF6: a monitor that is changed as it was shown keeps the secrets that were not', () => {
  const before = readDefinition(definition);

  test('where they stand as they were shown', () => {
    const shown = {
      ...definition,
      target: before.target,
      options: { auth: { user: 'ann', password: '***' }, headers: { 'X-Key': '***', 'X-New': 'new' } },
    };
    assert.equal(before.target, 'http://h/?key=***&page=1');
    assert.deepEqual(readDefinition(withSecretsOf(shown, before)).options, {
      url: 'http://h/?key=in-query&page=1',
      auth: { user: 'ann', password: 'of-auth' },
      headers: { 'X-Key': 'of-header', 'X-New': 'new' },
    });
  });

  test('a new secret takes the place of the old one', () => {
    const changed = withSecretsOf({ ...definition, options: { auth: { user: 'ann', password: 'new' } } }, before);
    assert.deepEqual(changed['options'], { auth: { user: 'ann', password: 'new' } });
  });

  for (const [what, changed] of [
    ['a new monitor', { type: 'http', target: 'http://h/', options: { auth: { user: 'a', password: '***' } } }],
    ['another URL', { ...definition, target: 'http://other/?key=***' }],
  ] as const)
    test(`${what} with stars in the place of a secret is refused`, () => {
      assert.throws(
        () => withSecretsOf(changed, what === 'a new monitor' ? undefined : before),
        /\*\*\* stands for a secret that is not shown; write the secret itself/,
      );
    });
});
