import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeIpPacket } from './ip-packet.ts';
import { ipv6Payload } from './ipv6.ts';

const udp = Buffer.from([0x9c, 0x40, 0, 9, 0, 12, 0, 0, 1, 2, 3, 4]);

/** An IPv6 packet from fd00::1 to fe00::2: no byte of the one address is right for the other. */
function ipv6Packet(next: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(payload.length, 4);
  header.writeUInt8(next, 6);
  Buffer.from('fd000000000000000000000000000001fe000000000000000000000000000002', 'hex').copy(header, 8);
  return Buffer.concat([header, payload]);
}

/** RFC 8200 section 4: next header, length in 8 bytes beyond the first 8; padding. */
const options = (next: number, extra = 0): Buffer =>
  Buffer.from([next, extra, 1, 4, 0, 0, 0, 0, ...Buffer.alloc(8 * extra)]);
const fragment = (next: number, offset: number): Buffer =>
  Buffer.from([next, 0, offset >> 5, (offset << 3) | 1, 0, 0, 0, 7]);
/** RFC 4302: the length is in words of 4 bytes, without the first two. */
const authentication = (next: number): Buffer => Buffer.from([next, 4, 0, 0, ...Buffer.alloc(20)]);

const cases: readonly (readonly [string, number, readonly Buffer[]])[] = [
  ['no extension header', 17, [udp]],
  ['hop-by-hop options', 0, [options(17), udp]],
  ['options of more than 8 bytes, then a routing header', 60, [options(43, 3), options(17), udp]],
  ['a first fragment', 44, [fragment(17, 0), udp]],
  ['an authentication header', 51, [authentication(17), udp]],
  ['four in a row', 0, [options(43), options(44), fragment(60, 0), options(17), udp]],
];

for (const [what, next, parts] of cases)
  test(`IPv6 with ${what}: the datagram is read`, () => {
    const packet = decodeIpPacket(ipv6Packet(next, Buffer.concat(parts)));
    assert.deepEqual(packet, {
      source: 'fd00::1',
      destination: 'fe00::2',
      protocol: 17,
      ports: { source: 40_000, destination: 9 },
      payload: Buffer.from([1, 2, 3, 4]),
    });
  });

test('a later fragment of IPv6 has no transport header, whatever its bytes look like', () => {
  const packet = decodeIpPacket(ipv6Packet(44, Buffer.concat([fragment(17, 185), udp])));
  assert.deepEqual([packet?.protocol, packet?.ports, packet?.payload.length], [0, undefined, 0]);
});

test('extension headers that are cut off, point beyond the end or never end are not followed', () => {
  for (let length = 40; length < 52; length++)
    assert.equal(
      decodeIpPacket(ipv6Packet(0, Buffer.concat([options(17), udp])).subarray(0, length))?.ports,
      undefined,
    );
  const beyond = decodeIpPacket(ipv6Packet(0, Buffer.from([17, 255, 0, 0, 0, 0, 0, 0])));
  assert.deepEqual([beyond?.protocol, beyond?.ports], [17, undefined]);
  const endless = ipv6Packet(0, Buffer.concat(Array.from({ length: 100 }, () => options(0))));
  assert.deepEqual(ipv6Payload(endless), { protocol: 0, at: 40 + 4 * 8 });
});
