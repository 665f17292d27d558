import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError } from './errors.ts';
import {
  endpointOf,
  formatEndpoint,
  hostname,
  inUrl,
  isLoopback,
  parseUrl,
  port,
  urlMistake,
  urlOfTarget,
  unmapped,
} from './target.ts';

describe('a host', () => {
  const good: readonly (readonly [string, string])[] = [
    ['example.org', 'example.org'],
    [' Example.ORG. ', 'example.org.'],
    ['_sip._tcp.example.org', '_sip._tcp.example.org'],
    ['3com.example', '3com.example'],
    ['1.example', '1.example'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['[::1]', '::1'],
    ['FE80::1%Eth0', 'fe80::1%Eth0'],
    ['münchen.example', 'xn--mnchen-3ya.example'],
    ['MÜNCHEN.Example.', 'xn--mnchen-3ya.example.'],
    ['mu\u0308nchen.example', 'xn--mnchen-3ya.example'],
    ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
    ['пример.испытание', 'xn--e1afmkfd.xn--80akhbyknj4f'],
    ['faß.example', 'xn--fa-hia.example'],
    ['_sip._tcp.münchen.example', '_sip._tcp.xn--mnchen-3ya.example'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ];
  for (const [written, read] of good) test(`${written} is ${read}`, () => assert.equal(hostname.parse(written), read));

  const bad: readonly (readonly [string, RegExp])[] = [
    ['127.0.0.1:80', /without a port/],
    ['example.org:80', /without a port/],
    ['[::1]:80', /without a port/],
    ['http://example.org', /not a URL/],
    ['256.1.1.1', /four numbers/],
    ['1.2.3', /four numbers/],
    ['1.2.3.4.5', /four numbers/],
    ['127.0.0.01', /four numbers/],
    ['12', /four numbers/],
    ['0x7f000001', /four numbers/],
    ['1::2::3', /host name/],
    [':::', /host name/],
    ['12345::1', /host name/],
    ['fe80::1%', /host name/],
    ['[127.0.0.1]', /host name/],
    ['[::1', /host name/],
    ['a b', /host name/],
    ['mün chen', /host name/],
    ['mün/chen', /host name/],
    ['münchen.example:80', /without a port/],
    ['user@münchen', /host name/],
    ['mün%63hen', /host name/],
    ['１２７.0.0.1', /host name/],
    ['xn--a-ä', /host name/],
    ['ü'.repeat(64), /host name/],
    ['a,b', /host name/],
    ['a;b', /host name/],
    ['a..b', /host name/],
    ['.a', /host name/],
    ['a/24', /host name/],
    ['user@host', /host name/],
    ['', /host name/],
    ['x'.repeat(64), /host name/],
  ];
  for (const [written, why] of bad) {
    test(`CH8: ${JSON.stringify(written)} is a typing error`, () => {
      assert.match(hostname.safeParse(written).error?.issues[0]?.message ?? '', why);
    });
  }
});

describe('a target with a port', () => {
  const good: readonly (readonly [string, { host: string; port?: number }])[] = [
    ['example.org:80', { host: 'example.org', port: 80 }],
    ['example.org:https', { host: 'example.org', port: 443 }],
    ['example.org:SSH', { host: 'example.org', port: 22 }],
    [' [::1]:53 ', { host: '::1', port: 53 }],
    ['[::1]', { host: '::1' }],
    ['::1', { host: '::1' }],
    ['example.org', { host: 'example.org' }],
    [':7411', { host: '', port: 7411 }],
    ['h:65536', { host: 'h', port: 65_536 }],
  ];
  for (const [written, read] of good) {
    test(`${written} is ${JSON.stringify(read)}`, () => assert.deepEqual(endpointOf(written), read));
  }

  for (const written of [
    'h:',
    'h:nothing',
    'h:8 0',
    'h:-1',
    'h:80/tcp',
    'h:0x50',
    'h:1e3',
    '[::1',
    '[::1]:',
    '[::1]x',
    'h:constructor',
  ]) {
    test(`CH8: ${written} is a typing error`, () => {
      assert.throws(
        () => endpointOf(written),
        (error) => error instanceof AppError && error.code === 'usage',
      );
    });
  }

  for (const number of [0, 65_536, -1, 1.5, NaN]) {
    test(`CH8: there is no port ${number}`, () => assert.equal(port.safeParse(number).success, false));
  }

  test('is written with the brackets that an IPv6 address needs', () => {
    assert.equal(formatEndpoint({ host: '::1', port: 80 }), '[::1]:80');
    assert.equal(formatEndpoint({ host: 'h', port: 80 }), 'h:80');
  });
});

describe('a URL', () => {
  const schemes = ['http:', 'https:'];
  const good = [
    'http://example.org',
    'HTTPS://example.org:8443/a?b#c',
    'http://[::1]:80/',
    'http://1.2.3.4',
    'http://user@h/',
  ];
  for (const text of good) test(`${text} is one`, () => assert.equal(urlMistake(text, schemes), undefined));

  const bad = [
    'http:/x',
    'http:x',
    'http:///x',
    'http://',
    'htp://x',
    'ftp://x',
    'http://a b/',
    'http://a,b/',
    'http://a..b/',
    'http://1.2.3/',
    'http://256.1.1.1/',
    'http://h:0x50/',
    'http://h:65536/',
    'http://[::1/',
    'x',
    '',
  ];
  for (const text of bad) {
    test(`CH8: ${JSON.stringify(text)} is a typing error`, () =>
      assert.match(urlMistake(text, schemes) ?? '', /^expected /));
  }
});

test('MU27: only loopback addresses count as loopback', () => {
  for (const host of ['localhost', '::1', '127.0.0.1', '127.255.0.3']) assert.equal(isLoopback(host), true, host);
  for (const host of ['127.0.0.1.evil.example', '128.0.0.1', '::2', 'notlocalhost', '127.0.0'])
    assert.equal(isLoopback(host), false, host);
});

describe('CN7, CN8: an IPv6 address in a URL', () => {
  const table = [
    ['::1', '[::1]'],
    ['fe80::1%eth0', '[fe80::1%25eth0]'],
    ['127.0.0.1', '127.0.0.1'],
    ['example.org', 'example.org'],
    ['[::1]:80', '[::1]:80'],
  ] as const;
  for (const [host, inside] of table) test(`${host} is ${inside}`, () => assert.equal(inUrl(host), inside));

  test('a zone is read beside the URL (RFC 6874)', () => {
    for (const text of ['http://[FE80::0:1%25Eth0]:8080/a?b#c', 'http://[FE80::0:1%Eth0]:8080/a?b#c']) {
      const { url, zoned } = parseUrl(text);
      assert.equal(url.href, 'http://[fe80::1]:8080/a?b#c');
      assert.equal(zoned, 'fe80::0:1%Eth0');
      assert.equal(urlMistake(text, ['http:']), undefined);
    }
    assert.deepEqual(parseUrl('http://[::1]/%25'), { url: new URL('http://[::1]/%25') });
    assert.deepEqual(parseUrl('http://a/[::1%25b]'), { url: new URL('http://a/[::1%25b]') });
    assert.throws(() => parseUrl('http://[::1%25'), TypeError);
  });
});

test('a target without a scheme gets the one of its type, and one that contradicts the type is refused', () => {
  const table = [
    ['example.org/a:b', 'https', 'https://example.org/a:b'],
    ['::1', 'http', 'http://[::1]'],
    ['http://example.org', 'http', 'http://example.org'],
    ['https://example.org', 'http', 'https://example.org'],
    ['HTTPS://example.org', 'https', 'HTTPS://example.org'],
    ['wss://example.org', 'ws', 'wss://example.org'],
    // These are mistakes for the schema of the URL to tell.
    ['ftp://example.org', 'https', 'ftp://example.org'],
    ['http:example.org', 'http', 'http:example.org'],
  ] as const;
  for (const [target, scheme, url] of table) assert.equal(urlOfTarget(target, scheme), url);
  for (const [target, scheme] of [
    ['http://user:secret@example.org/', 'https'],
    ['HTTP://example.org/', 'https'],
    ['ws://example.org/', 'wss'],
  ] as const)
    assert.throws(
      () => urlOfTarget(target, scheme),
      (error) =>
        error instanceof AppError &&
        error.message ===
          `expected a URL with ${scheme}://, as the type is ${scheme}, got one with ${scheme.slice(0, -1)}://`,
    );
});

test('MU27: only addresses of 127.0.0.0/8, ::1 and localhost are loopback', () => {
  for (const host of ['127.0.0.1', '127.255.255.254', '::1', 'localhost']) assert.ok(isLoopback(host), host);
  for (const host of ['127.0.0.1.evil.example', 'x127.0.0.1', '128.0.0.1', '::2', 'localhost.example', '127.0.0'])
    assert.ok(!isLoopback(host), host);
});

test('SF19: an IPv4 address is written as one, also where both families listen together', () => {
  for (const [seen, written] of [
    ['::ffff:192.0.2.17', '192.0.2.17'],
    ['::FFFF:127.0.0.1', '127.0.0.1'],
    ['192.0.2.17', '192.0.2.17'],
    ['::1', '::1'],
    ['2001:db8::ffff:1', '2001:db8::ffff:1'],
    ['::ffff:0:1', '::ffff:0:1'],
  ] as const)
    assert.equal(unmapped(seen), written);
});
