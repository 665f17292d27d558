import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { describe, test } from 'node:test';
import type { Address } from '../../core/network.ts';
import { byPreference, type SourceAddress } from './address-order.ts';

/** Destinations in the order of the resolver, each with the source (and its prefix length) that the kernel would take. */
type Candidates = Readonly<Record<string, string | null>>;

function ordered(candidates: Candidates): readonly string[] {
  const destinations = Object.keys(candidates).map((ip): Address => ({ ip, family: isIPv6(ip) ? 6 : 4 }));
  const sourceOf = ({ ip }: Address): SourceAddress | undefined => {
    const [source, bits] = candidates[ip]?.split('/') ?? [];
    return source === undefined ? undefined : { ip: source, prefixBits: Number(bits ?? 64) };
  };
  return byPreference(destinations, sourceOf).map(({ ip }) => ip);
}

describe('CB6: the examples of RFC 6724 section 10.2', () => {
  const examples: readonly (readonly [rule: string, candidates: Candidates, order: readonly string[]])[] = [
    [
      'prefer matching scope',
      { '198.51.100.121': '169.254.13.78/16', '2001:db8:1::1': '2001:db8:1::2' },
      ['2001:db8:1::1', '198.51.100.121'],
    ],
    [
      'prefer matching scope: IPv4, where IPv6 has only a link-local source',
      { '2001:db8:1::1': 'fe80::1', '198.51.100.121': '198.51.100.117/24' },
      ['198.51.100.121', '2001:db8:1::1'],
    ],
    [
      'prefer higher precedence',
      { '10.1.2.3': '10.1.2.4/24', '2001:db8:1::1': '2001:db8:1::2' },
      ['2001:db8:1::1', '10.1.2.3'],
    ],
    ['prefer smaller scope', { '2001:db8:1::1': '2001:db8:1::2', 'fe80::1': 'fe80::2' }, ['fe80::1', '2001:db8:1::1']],
    [
      'prefer matching label: 6to4 and native IPv6',
      { '2002:c633:6401::1': '2002:c633:6401::2', '2001:db8:1::1': 'fe80::2' },
      ['2002:c633:6401::1', '2001:db8:1::1'],
    ],
    [
      'prefer higher precedence: native IPv6 before 6to4',
      { '2002:c633:6401::1': '2002:c633:6401::2', '2001:db8:1::1': '2001:db8:1::2' },
      ['2001:db8:1::1', '2002:c633:6401::1'],
    ],
  ];
  for (const [rule, candidates, order] of examples) {
    test(rule, () => {
      assert.deepEqual(ordered(candidates), order);
    });
  }
});

describe('CB6: what this machine cannot reach comes last', () => {
  test('a machine without IPv4 takes the IPv6 address, and the other way round', () => {
    assert.deepEqual(ordered({ '192.0.2.1': null, '2001:db8::1': '2001:db8::9' }), ['2001:db8::1', '192.0.2.1']);
    assert.deepEqual(ordered({ '2001:db8::1': null, '192.0.2.1': '192.0.2.9/24' }), ['192.0.2.1', '2001:db8::1']);
  });

  test('unique local addresses are used from a unique local address, and IPv4 otherwise', () => {
    assert.deepEqual(ordered({ 'fd00::1': '2001:db8::9', '192.0.2.1': '192.0.2.9/24' }), ['192.0.2.1', 'fd00::1']);
    assert.deepEqual(ordered({ 'fd00::1': 'fd00::9', '2001:db8:5::1': 'fd00::9' }), ['fd00::1', '2001:db8:5::1']);
  });

  test('loopback: ::1 before 127.0.0.1', () => {
    assert.deepEqual(ordered({ '127.0.0.1': '127.0.0.1/8', '::1': '::1/128' }), ['::1', '127.0.0.1']);
  });
});

describe('CB6: addresses of one family', () => {
  test('the longest prefix in common with the source goes first in IPv6, up to the size of the network of the source', () => {
    const source = '2001:db8:1::9/48';
    assert.deepEqual(ordered({ '2001:db8:ffff::1': source, '2001:db8:1::1': source }), [
      '2001:db8:1::1',
      '2001:db8:ffff::1',
    ]);
    assert.deepEqual(ordered({ '2001:db8:1:8000::1': source, '2001:db8:1::1': source }), [
      '2001:db8:1:8000::1',
      '2001:db8:1::1',
    ]);
  });

  test('an IPv4 address on our own network goes first; all others stay in the order of the answer', () => {
    const source = '192.0.2.9/24';
    assert.deepEqual(ordered({ '203.0.113.1': source, '192.0.2.200': source }), ['192.0.2.200', '203.0.113.1']);
    assert.deepEqual(ordered({ '203.0.113.1': source, '192.0.3.1': source, '198.51.100.1': source }), [
      '203.0.113.1',
      '192.0.3.1',
      '198.51.100.1',
    ]);
  });

  test('a zone does not count', () => {
    assert.deepEqual(ordered({ '2001:db8:1::1': '2001:db8:1::2', 'fe80::1%eth0': 'fe80::2' }), [
      'fe80::1%eth0',
      '2001:db8:1::1',
    ]);
  });
});
