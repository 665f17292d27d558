import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { isSecretName, maskUrl, SecretMask, secretsIn, withoutSecrets } from './secrets.ts';

describe('SF6: names that tell of a secret', () => {
  for (const name of [
    'Authorization',
    'Cookie',
    'X-Api-Key',
    'api_key',
    'apikey',
    'apiKey',
    'access_token',
    'PGPASSWORD',
    'DB_PASS',
    'sig',
    'X-Amz-Signature',
    'client-secret',
    'PHPSESSIONID',
    'key',
    'auth',
    'X-Auth',
  ])
    test(name, () => assert.equal(isSecretName(name), true));
  for (const name of [
    'HOST',
    'PORT',
    'keyboard',
    'author',
    'page',
    'q',
    'Accept',
    'monkey',
    'SITE',
    'signal',
    'design',
  ])
    test(`${name} tells of none`, () => assert.equal(isSecretName(name), false));
});

describe('SF6: URLs without their secrets', () => {
  for (const [url, shown] of [
    ['http://h/x?api_key=abcd&page=2', 'http://h/x?api_key=***&page=2'],
    ['http://h/x?page=2&token=a=b#top', 'http://h/x?page=2&token=***#top'],
    ['http://h/?token=', 'http://h/?token='],
    ['http://h/#access_token=abcd', 'http://h/#access_token=***'],
    ['http://h/?a=1;sid=abcd', 'http://h/?a=1;sid=***'],
    ['http://ann:pa:ss@h/', 'http://ann:***@h/'],
    ['http://abcdef@h/', 'http://***@h/'],
    ['http://h/a@b?x=1', 'http://h/a@b?x=1'],
    ['wss://h/feed?jwt=abcd', 'wss://h/feed?jwt=***'],
    ['h:443', 'h:443'],
    ['2001:db8::1', '2001:db8::1'],
  ] as const)
    test(url, () => assert.equal(maskUrl(url), shown));

  test('a value that came from a variable is hidden under any name, however it is encoded', () => {
    assert.equal(maskUrl('http://h/?x=a%20b%2f&y=1', ['a b/']), 'http://h/?x=***&y=1');
    assert.equal(maskUrl('http://h/?x=a+b&y=1', ['a b']), 'http://h/?x=***&y=1');
  });
});

describe('SF6: secrets in texts', () => {
  const mask = new SecretMask(['geh"eim wort', 'abcd', 'abcdef', 'xyz', '']);
  for (const [text, shown] of [
    ['it said geh"eim wort.', 'it said ***.'],
    [JSON.stringify({ a: 'geh"eim wort' }), '{"a":"***"}'],
    ['?x=geh%22eim%20wort&y', '?x=***&y'],
    ['?x=geh%22eim+wort', '?x=***'],
    ['abcdef abcd', '*** ***'],
    ['xyz', 'xyz'],
  ] as const)
    test(text, () => assert.equal(mask.text(text), shown));

  test('in values of every depth, and names of keys', () => {
    assert.deepEqual(mask.json({ a: ['abcd', 1, null, { 'x-abcd': true }] }), {
      a: ['***', 1, null, { 'x-***': true }],
    });
  });

  test('a mask of nothing changes nothing', () => assert.equal(new SecretMask(['', 'abc']).isEmpty, true));
});

describe('SF6: secrets by the schema of options', () => {
  const schema = z.strictObject({
    url: z.string(),
    password: z.string().optional().meta({ secret: true }),
    headers: z.record(z.string(), z.string()).default({}).meta({ secret: true }),
    proxy: z.string().optional().meta({ secret: true }),
    auth: z
      .strictObject({ user: z.string().optional(), password: z.string().optional().meta({ secret: true }) })
      .default({}),
    body: z.string().optional(),
  });
  const options = {
    url: 'http://h/?key=in-query',
    password: 'of-top',
    headers: {
      Authorization: 'Bearer in-header',
      Cookie: 'a=of-cookie; b=more-cookie',
      Accept: 'text/plain',
      'X-Own': 'own-header',
    },
    proxy: 'http://ann:of%2Fproxy@p:1/',
    auth: { user: 'ann', password: 'of-auth' },
    body: 'plain from-variable text',
  };

  test('are found, with what stands inside of headers', () => {
    const found = secretsIn(schema, options);
    for (const secret of [
      'in-query',
      'of-top',
      'in-header',
      'of-cookie',
      'more-cookie',
      'own-header',
      'of/proxy',
      'of%2Fproxy',
      'of-auth',
      Buffer.from('ann:of-auth').toString('base64').replace(/=+$/, ''),
    ])
      assert.ok(found.includes(secret), secret);
    assert.ok(!found.includes('text/plain'));
  });

  test('are not shown; the rest is', () => {
    assert.deepEqual(withoutSecrets(schema, options, ['from-variable']), {
      url: 'http://h/?key=***',
      password: '***',
      headers: { Authorization: '***', Cookie: '***', Accept: 'text/plain', 'X-Own': '***' },
      proxy: 'http://ann:***@p:1/',
      auth: { user: 'ann', password: '***' },
      body: 'plain *** text',
    });
    assert.equal(options.password, 'of-top', 'what is shown is a copy');
  });

  test('a secret of another shape than its schema has is not shown either', () => {
    assert.deepEqual(
      withoutSecrets(schema, { url: 'h', password: ['a-secret'], headers: 'a-secret', auth: 'a-secret' }, []),
      {
        url: 'h',
        password: '***',
        headers: '***',
        auth: 'a-secret',
      },
    );
  });
});
