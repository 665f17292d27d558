import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { dialFields, dialOptionsOf, dialOptionsOfUrl, socketFields, socketOptionsOf } from './dial-options.ts';

const dial = z.strictObject(dialFields);
const socket = z.strictObject(socketFields);

test('code points have the names that their RFCs give them', () => {
  const table: readonly (readonly [name: string, codePoint: number])[] = [
    // RFC 2474 section 4.2.2.
    ['cs0', 0],
    ['cs1', 8],
    ['cs7', 56],
    // RFC 2597 section 6.
    ['af11', 10],
    ['af13', 14],
    ['af22', 20],
    ['af41', 34],
    ['af43', 38],
    // RFC 3246, 5865 and 8622.
    ['ef', 46],
    ['voice-admit', 44],
    ['le', 1],
    [' EF ', 46],
    ['0', 0],
    ['63', 63],
  ];
  for (const [dscp, codePoint] of table) assert.equal(socketOptionsOf(socket.parse({ dscp })).dscp, codePoint, dscp);
  for (const dscp of ['64', '-1', 'af14', 'af51', 'cs8', 'expedited', ''])
    assert.match(JSON.stringify(socket.safeParse({ dscp }).error?.issues), /code point from 0 to 63/, dscp);
});

test('a source is an address or the name of an interface', () => {
  for (const source of ['192.0.2.1', '2001:db8::1', 'eth0', 'br-lan.100', 'a'.repeat(15)])
    assert.equal(socketOptionsOf(socket.parse({ source })).source, source);
  for (const source of ['', 'a b', 'eth0/1', 'a'.repeat(16), '192.0.2.1:80'])
    assert.match(JSON.stringify(socket.safeParse({ source }).error?.issues), /address or a network interface/, source);
});

test('without options everything is left to the system, and any address of a name may answer', () => {
  const nothing = { family: 'auto', source: undefined, dscp: undefined };
  assert.deepEqual(dialOptionsOf(dial.parse({})), { ...nothing, addresses: 'any', overrides: [] });
  for (const [addresses, asked] of [
    ['first', 'first'],
    ['any', 'any'],
    // Each run is about one address.
    ['all', 'any'],
  ] as const)
    assert.equal(dialOptionsOf(dial.parse({ addresses })).addresses, asked);
});

function override(text: string): unknown {
  return dialOptionsOf(dial.parse({ resolve: [text] })).overrides?.[0];
}

test('addresses to use for a host are read as curl reads them', () => {
  assert.deepEqual(override('Example.org:443:192.0.2.1'), {
    host: 'example.org',
    port: 443,
    address: { ip: '192.0.2.1', family: 4 },
  });
  assert.deepEqual(override('Bücher.test:192.0.2.1'), {
    host: 'xn--bcher-kva.test',
    address: { ip: '192.0.2.1', family: 4 },
  });
  assert.deepEqual(override('a.test:[2001:db8::1]'), { host: 'a.test', address: { ip: '2001:db8::1', family: 6 } });
  for (const text of [
    'a.test',
    'a.test:443',
    'a.test:65536:192.0.2.1',
    'a.test:443:2001:db8::1',
    'a.test:443:[192.0.2.999]',
  ])
    assert.match(JSON.stringify(dial.safeParse({ resolve: [text] }).error?.issues), /HOST:PORT:ADDRESS/, text);
});

test('the zone in a URL goes with every connection to its address, before other overrides', () => {
  const options = dial.parse({ resolve: ['a.test:192.0.2.1'] });
  const [first, second] = dialOptionsOfUrl({ ...options, url: 'http://[fe80::1%25eth0]:8080/' }).overrides ?? [];
  assert.deepEqual(first, { host: 'fe80::1', address: { ip: 'fe80::1%eth0', family: 6 } });
  assert.equal(second?.host, 'a.test');
  assert.equal(dialOptionsOfUrl({ ...options, url: 'http://[fe80::1]:8080/' }).overrides?.length, 1);
});
