import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CookieJar } from './cookies.ts';

const now = Date.UTC(2026, 0, 1);

/** What is sent to `to` after `from` has set these. */
function sent(from: string, to: string, ...cookies: readonly string[]): string | undefined {
  const jar = new CookieJar();
  jar.store(
    new URL(from),
    cookies.map((text) => ['set-cookie', text] as const),
    now,
  );
  return jar.header(new URL(to));
}

test('a cookie that is secure is not replaced from http, for its host, those below and those above (RFC 6265bis section 5.7)', () => {
  const jar = new CookieJar();
  const store = (from: string, text: string): void => jar.store(new URL(from), [['set-cookie', text]], now);
  store('https://www.site.test/', 'a=1; Secure; Path=/');
  store('http://www.site.test/', 'a=2; Path=/');
  store('http://www.site.test/', 'b=2; Path=/');
  assert.equal(jar.header(new URL('https://www.site.test/')), 'a=1; b=2');
  for (const [origin, cookies] of [
    ['http://below.www.site.test/', undefined],
    ['http://site.test/', undefined],
    ['http://other.test/', 'a=3'],
    ['http://beside.site.test/', 'a=3'],
  ] as const) {
    store(origin, 'a=3; Path=/');
    assert.equal(jar.header(new URL(origin)), cookies, origin);
  }
  store('https://plain.test/', 'a=1; Path=/');
  store('http://plain.test/', 'a=2; Path=/');
  assert.equal(jar.header(new URL('http://plain.test/')), 'a=2');
});

describe('CB15: a cookie set on the way', () => {
  const site = 'https://www.site.test/a/b';
  const table: readonly (readonly [string, string, string, string, string | undefined])[] = [
    ['goes back to its host', site, site, 'a=1', 'a=1'],
    ['goes to its default path, which is the folder', site, 'https://www.site.test/a/c', 'a=1', 'a=1'],
    ['goes nowhere above its default path', site, 'https://www.site.test/', 'a=1', undefined],
    ['goes nowhere that only begins like its path', site, 'https://www.site.test/ab', 'a=1; Path=/a', undefined],
    ['goes below its path', site, 'https://www.site.test/x/y', 'a=1; Path=/x', 'a=1'],
    ['goes to no other host', site, 'https://site.test/a/', 'a=1; Path=/', undefined],
    ['goes to no host below', site, 'https://x.www.site.test/', 'a=1; Path=/', undefined],
    ['goes to the domain it names', site, 'https://other.site.test/', 'a=1; Domain=site.test; Path=/', 'a=1'],
    ['a dot before the domain is nothing', site, 'https://site.test/', 'a=1; Domain=.site.test; Path=/', 'a=1'],
    [
      'is refused for a domain that is not its own',
      site,
      'https://evil.test/',
      'a=1; Domain=evil.test; Path=/',
      undefined,
    ],
    [
      'is refused for a domain that only ends like its own',
      'https://evilsite.test/',
      site,
      'a=1; Domain=site.test; Path=/',
      undefined,
    ],
    ['is refused for a public suffix', site, 'https://bank.test/', 'a=1; Domain=test; Path=/', undefined],
    [
      'of an address goes to that address alone',
      'http://127.0.0.1/',
      'http://127.0.0.1/',
      'a=1; Domain=127.0.0.1',
      'a=1',
    ],
    ['of an address goes to no other', 'http://127.0.0.1/', 'http://1.127.0.0.1.test/', 'a=1; Domain=0.0.1', undefined],
    ['goes to every port', 'http://site.test:8080/', 'http://site.test:9090/', 'a=1', 'a=1'],
    ['that is secure goes over https only', site, 'http://www.site.test/a/', 'a=1; Secure', undefined],
    ['that is secure is not taken from http', 'http://www.site.test/', site, 'a=1; Secure; Path=/', undefined],
    ['with a second to live goes back', site, site, 'a=1; Max-Age=1', 'a=1'],
    ['with no second to live is gone', site, site, 'a=1; Max-Age=0', undefined],
    ['that expires in this moment is gone', site, site, 'a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT', undefined],
    ['that expires a second later goes back', site, site, 'a=1; Expires=Thu, 01 Jan 2026 00:00:01 GMT', 'a=1'],
    ['that has expired is gone', site, site, 'a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT', undefined],
    [
      'that has expired is gone, as Netscape wrote it',
      site,
      site,
      'a=1; Expires=Wed, 21-Oct-2015 07:28:00 GMT',
      undefined,
    ],
    ['that will expire is there', site, site, 'a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT', 'a=1'],
    ['whose time cannot be read is there', site, site, 'a=1; Expires=soon', 'a=1'],
    ['with Max-Age 0 is gone', site, site, 'a=1; Max-Age=0', undefined],
    [
      'with a negative Max-Age is gone, whatever Expires says',
      site,
      site,
      'a=1; Max-Age=-1; Expires=Wed, 21 Oct 2099 07:28:00 GMT',
      undefined,
    ],
    [
      'with a Max-Age is there, whatever Expires says',
      site,
      site,
      'a=1; Max-Age=9; Expires=Wed, 21 Oct 2015 07:28:00 GMT',
      'a=1',
    ],
    ['keeps the equals signs of its value', site, site, 'a=b=c==', 'a=b=c=='],
    ['may have no value', site, site, 'a=', 'a='],
    ['may have no name', site, site, 'a', 'a'],
    ['that is empty is none', site, site, ' ; Path=/', undefined],
    ['with a control character is none', site, site, 'a=\x01', undefined],
    ['that is too long is none', site, site, `a=${'x'.repeat(4100)}`, undefined],
    [
      'with the prefix __Host- may name no domain',
      site,
      site,
      '__Host-a=1; Secure; Path=/; Domain=www.site.test',
      undefined,
    ],
    ['with the prefix __Host- keeps its promises', site, site, '__Host-a=1; Secure; Path=/', '__Host-a=1'],
    ['with the prefix __Secure- must be that', site, site, '__Secure-a=1; Path=/', undefined],
  ];
  for (const [name, from, to, cookie, expected] of table)
    test(name, () => assert.equal(sent(from, to, cookie), expected));

  test('a later one of the same name takes the place of the earlier', () => {
    assert.equal(sent(site, site, 'a=1', 'a=2'), 'a=2');
    assert.equal(sent(site, site, 'a=1', 'a=2; Max-Age=0'), undefined);
  });

  test('one that was set over https is not overwritten from http', () => {
    const jar = new CookieJar();
    jar.store(new URL('https://www.site.test/'), [['set-cookie', 'a=1; Secure']], now);
    jar.store(new URL('http://www.site.test/'), [['set-cookie', 'a=2']], now);
    assert.equal(jar.header(new URL('https://www.site.test/')), 'a=1');
  });

  test('longer paths come first (RFC 6265 section 5.4)', () => {
    assert.equal(sent(site, site, 'a=1; Path=/', 'b=2; Path=/a'), 'b=2; a=1');
  });

  test('50 are kept', () => {
    const cookies = Array.from({ length: 60 }, (_, index) => `c${index}=1`);
    assert.equal(sent(site, site, ...cookies)?.split('; ').length, 50);
  });
});
