import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RingPacket } from '../../sys/packet-ring.ts';
import { ipv4Packet, udpDatagram } from '../../testing/ip-packet.ts';
import { PeerTable } from './peer-table.ts';

interface Given {
  readonly bytes: Buffer;
  readonly type?: number;
  readonly protocol?: number;
}

function ringPacket({ bytes, type = 0, protocol = 0x0800 }: Given): RingPacket {
  return {
    bytes,
    start: 0,
    end: bytes.length,
    length: bytes.length,
    interfaceIndex: 2,
    type,
    protocol,
    linkAddress: 0,
    hasVlanTag: false,
  };
}

/** 192.0.2.2 is this machine. */
function tableOfFive(): PeerTable {
  const table = new PeerTable({ peers: 5, pairs: 5 });
  table.know({ addresses: [{ address: '192.0.2.2' }], broadcasts: [], ports: [] });
  return table;
}

const byte = (max: number): fc.Arbitrary<number> => fc.nat(max);
const anyPacket = fc
  .record({
    bytes: fc.uint8Array({ maxLength: 120 }),
    first: fc.constantFrom(0x45, 0x4f, 0x40, 0x60, 0xff),
    type: byte(6),
    protocol: fc.constantFrom(0x0800, 0x86dd, 0x0806),
  })
  .map(({ bytes, first, type, protocol }) => {
    if (bytes.length > 0) bytes[0] = first;
    return ringPacket({ bytes: Buffer.from(bytes), type, protocol });
  });

test('whatever bytes come, each packet is counted once, and the table keeps its size', () => {
  fc.assert(
    fc.property(fc.array(anyPacket, { maxLength: 50 }), (packets) => {
      const table = tableOfFive();
      for (const packet of packets) assert.ok([0, 256, 4096].includes(table.count(packet)));
      const counts = [...table.read(), ...table.rest()].flatMap(({ received, sent }) => [received, sent]);
      assert.equal(
        counts.reduce((sum, { packets }) => sum + packets, 0),
        packets.length,
      );
      assert.equal(
        counts.reduce((sum, { bytes }) => sum + bytes, 0),
        packets.reduce((sum, { length }) => sum + length, 0),
      );
      assert.ok(table.read().length <= 10);
      for (const peer of table.read()) assert.deepEqual(table.take(peer), peer);
      assert.deepEqual(table.read(), []);
    }),
    { numRuns: 1000 },
  );
});

test('a reading does not change when more is counted', () => {
  const table = tableOfFive();
  const payload = udpDatagram([1, 2], Buffer.alloc(10));
  const bytes = ipv4Packet({ source: '192.0.2.1', destination: '192.0.2.2', protocol: 17, payload });
  table.count(ringPacket({ bytes }));
  const [before] = table.read();
  table.count(ringPacket({ bytes }));
  assert.equal(before?.received.packets, 1);
});
