import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { carriesCookie, decodeEcho, encodeEchoRequest, explainIcmpError, numberEchoRequest } from './icmp.ts';
import { decodeIpv4Header, internetChecksum } from './ip.ts';

const cookie = Buffer.from('0123456789abcdef', 'hex');
const word = fc.nat(0xffff);
const size = fc.nat(2000);

test('an echo request can be read back, whatever its size', () => {
  fc.assert(
    fc.property(fc.constantFrom(4 as const, 6 as const), word, word, size, (family, identifier, sequence, size) => {
      const packet = numberEchoRequest(encodeEchoRequest(family, { identifier, size, cookie }), sequence);
      const echo = decodeEcho(family, packet);
      assert.equal(packet.length, 8 + size);
      assert.deepEqual(
        { kind: echo?.kind, identifier: echo?.identifier, sequence: echo?.sequence },
        { kind: 'request', identifier, sequence },
      );
      assert.ok(echo && carriesCookie(echo.payload, cookie));
    }),
  );
});

test('the checksum of an IPv4 echo request is right', () => {
  fc.assert(
    fc.property(word, word, size, (identifier, sequence, size) => {
      const packet = numberEchoRequest(encodeEchoRequest(4, { identifier, size, cookie }), sequence);
      assert.equal(internetChecksum(packet), 0);
    }),
  );
});

test('every packet of a sender has the same checksum, so that routers treat them as one flow', () => {
  const packet = encodeEchoRequest(4, { identifier: 7, size: 32, cookie });
  const checksums = [0, 1, 255, 256, 65_535].map((sequence) => numberEchoRequest(packet, sequence).readUInt16BE(2));
  assert.equal(new Set(checksums).size, 1);
});

test('the checksum is that of the example in RFC 1071 section 3', () => {
  assert.equal(internetChecksum(Buffer.from('0001f203f4f5f6f7', 'hex')), ~0xddf2 & 0xffff);
});

test('a reply from another sender is told by its cookie', () => {
  const echo = decodeEcho(4, encodeEchoRequest(4, { identifier: 1, size: 56, cookie }));
  assert.equal(echo && carriesCookie(echo.payload, Buffer.from('fedcba9876543210', 'hex')), false);
});

test('no bytes make the decoders throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => {
      const packet = Buffer.from(bytes);
      for (const family of [4, 6] as const) decodeEcho(family, packet);
      const header = decodeIpv4Header(packet);
      assert.ok(header === undefined || header.headerBytes <= packet.length);
    }),
  );
});

describe('ICMP errors are put in words', () => {
  const cases = [
    [4, 3, 0, 0, { kind: 'unreachable', text: 'network unreachable' }],
    [4, 3, 1, 0, { kind: 'unreachable', text: 'host unreachable' }],
    [4, 3, 3, 0, { kind: 'port-unreachable', text: 'port unreachable' }],
    [4, 3, 4, 1400, { kind: 'too-big', text: 'packet too big', mtu: 1400 }],
    [4, 3, 4, 0, { kind: 'too-big', text: 'packet too big' }],
    [4, 3, 13, 0, { kind: 'unreachable', text: 'communication administratively prohibited' }],
    [4, 3, 99, 0, { kind: 'unreachable', text: 'unreachable, code 99' }],
    [4, 11, 0, 0, { kind: 'time-exceeded', text: 'time to live exceeded' }],
    [4, 11, 1, 0, { kind: 'time-exceeded', text: 'fragments came too late' }],
    [4, 12, 0, 0, { kind: 'other', text: 'parameter problem, code 0' }],
    [6, 1, 3, 0, { kind: 'unreachable', text: 'address unreachable' }],
    [6, 1, 4, 0, { kind: 'port-unreachable', text: 'port unreachable' }],
    [6, 2, 0, 1280, { kind: 'too-big', text: 'packet too big', mtu: 1280 }],
    [6, 4, 1, 0, { kind: 'other', text: 'parameter problem, code 1' }],
    [6, 100, 0, 0, { kind: 'other', text: 'ICMPv6 error type 100 code 0' }],
    [6, 3, 0, 0, { kind: 'time-exceeded', text: 'time to live exceeded' }],
  ] as const;
  for (const [family, type, code, mtu, expected] of cases) {
    test(`IPv${family} type ${type} code ${code}: ${expected.text}`, () => {
      assert.deepEqual(explainIcmpError(family, { type, code, mtu }), expected);
    });
  }
});

test('CB2: a Redirect, a Source Quench and ICMPv6 messages that are no errors say nothing of the packet', () => {
  // RFC 792 types 4 and 5; RFC 4861 section 4.5, RFC 4443 section 2.1.
  for (const [family, type] of [
    [4, 4],
    [4, 5],
    [6, 137],
    [6, 128],
    [6, 255],
  ] as const)
    assert.equal(explainIcmpError(family, { type, code: 0, mtu: 0 }), undefined, `IPv${family} type ${type}`);
});

test('the Internet checksum is that of RFC 1071, also of an odd number of bytes', () => {
  for (const [hex, checksum] of [
    // Section 3, the numerical example.
    ['0001f203f4f5f6f7', 0x220d],
    // Section 1: the last byte is the high one of a word.
    ['0001f203f4f5f6f701', 0x210d],
    ['01', 0xfeff],
    ['ffff', 0],
    ['', 0xffff],
  ] as const)
    assert.equal(internetChecksum(Buffer.from(hex, 'hex')), checksum, hex);
});
