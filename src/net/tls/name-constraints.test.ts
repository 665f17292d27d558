import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CertificateFields, NameSpaces } from '../packets/x509.ts';
import { forbiddenName } from './name-constraints.ts';

const none: NameSpaces = { dns: [], ip: [] };
const fields = (given: Partial<CertificateFields>): CertificateFields => ({
  subject: Buffer.alloc(0),
  publicKey: Buffer.alloc(0),
  serial: Buffer.alloc(0),
  names: none,
  isAuthority: true,
  maxAuthoritiesBelow: undefined,
  purposes: undefined,
  permitted: none,
  excluded: none,
  mustStaple: false,
  unknownCritical: [],
  ...given,
});
const dns = (...names: readonly string[]): NameSpaces => ({ ...none, dns: names });
const ip = (...addresses: readonly (readonly number[])[]): NameSpaces => ({
  ...none,
  ip: addresses.map((bytes) => Buffer.from(bytes)),
});
const ipv6Loopback = [...Array.from({ length: 15 }, () => 0), 1];

test('name constraints permit and exclude domains and ranges of addresses (RFC 5280 section 4.2.1.10)', () => {
  const cases: readonly (readonly [
    names: NameSpaces,
    limits: Partial<CertificateFields>,
    forbidden: string | undefined,
  ])[] = [
    [dns('host.example.com'), {}, undefined],
    [dns('host.example.com'), { permitted: dns('host.example.com') }, undefined],
    [dns('my.host.example.com'), { permitted: dns('host.example.com') }, undefined],
    [dns('yourhost.example.com'), { permitted: dns('host.example.com') }, 'yourhost.example.com'],
    [dns('A.Example.COM'), { permitted: dns('example.com') }, undefined],
    [dns('a.example.com'), { permitted: dns('.example.com') }, undefined],
    [dns('example.com'), { permitted: dns('.example.com') }, 'example.com'],
    [dns('a.test', 'b.test'), { permitted: dns('a.test') }, 'b.test'],
    [dns('a.test'), { permitted: dns('') }, undefined],
    [dns('a.test'), { excluded: dns('') }, 'a.test'],
    [dns('a.b.test'), { permitted: dns('test'), excluded: dns('b.test') }, 'a.b.test'],
    // Limits of one kind of name say nothing of another.
    [ip([10, 0, 0, 1]), { permitted: dns('test') }, undefined],
    [dns('a.test'), { permitted: ip([10, 0, 0, 0, 255, 0, 0, 0]) }, undefined],
    [ip([10, 9, 8, 7]), { permitted: ip([10, 0, 0, 0, 255, 0, 0, 0]) }, undefined],
    [ip([11, 0, 0, 1]), { permitted: ip([10, 0, 0, 0, 255, 0, 0, 0]) }, '11.0.0.1'],
    [ip([10, 9, 8, 7]), { excluded: ip([10, 9, 8, 0, 255, 255, 255, 0]) }, '10.9.8.7'],
    [ip([10, 9, 8, 7]), { excluded: ip(Array.from({ length: 32 }, () => 0)) }, undefined],
    [ip(ipv6Loopback), { excluded: ip(Array.from({ length: 32 }, () => 0)) }, '::1'],
  ];
  for (const [names, limits, forbidden] of cases)
    assert.equal(forbiddenName(fields({ names }), fields(limits)), forbidden, JSON.stringify([names, limits]));
});
