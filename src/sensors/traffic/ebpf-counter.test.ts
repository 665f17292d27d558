import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../testing/eventually.ts';
import { ipv4Packet, udpDatagram } from '../../testing/ip-packet.ts';
import { labMissing } from '../../testing/netlab.ts';
import { labPeers } from '../../testing/peer-lab.ts';
import { openEbpfCounter } from './ebpf-counter.ts';
import { openStand, peerCounterContract, transfer } from './peer-counter.contract.ts';

peerCounterContract(openEbpfCounter);

// An Ethernet frame holds 1500 bytes: headers of IP and of TCP with time stamps, and data.
for (const [version, { from, to, headerBytes }] of Object.entries({
  IPv4: { from: '10.94.2.2', to: labPeers.watched, headerBytes: 20 + 32 },
  IPv6: { from: labPeers.crowd6, to: labPeers.watched6, headerBytes: 40 + 32 },
}))
  test(
    `what the network card cuts into segments has on the wire the headers of each: ${version}`,
    { skip: labMissing },
    async () => {
      await using stand = await openStand(openEbpfCounter);
      const bytes = 5_000_000;
      await transfer(stand.lab, { from, to, bytes });
      const { received } = stand.counter.read().find(({ address }) => address === from) ?? assert.fail('not counted');
      assert.ok(received.packets < received.wirePackets, 'the link carries packets larger than its MTU');
      assert.ok(received.wirePackets >= bytes / (1500 - headerBytes));
      assert.equal(received.wireBytes - received.bytes, headerBytes * (received.wirePackets - received.packets));
    },
  );

test(
  'SG9: first packets that the queue had no room for are counted, and how many there were is known',
  { skip: labMissing },
  async () => {
    await using stand = await openStand(openEbpfCounter);
    const payload = udpDatagram([40_000, 9], Buffer.alloc(1000));
    const sources = Array.from({ length: 10_000 }, (_, peer) => `10.94.${peer >> 8}.${peer & 255}`);
    // Nothing is read meanwhile.
    stand.lab.say(
      sources.map((source) => ipv4Packet({ source, destination: labPeers.watched, protocol: 17, payload })),
    );
    const unseen = stand.counter.unseenPackets();
    assert.ok(unseen > 0, 'the queue was full');
    const firsts = (): number => stand.seen.filter(({ direction }) => direction === 'in').length;
    const counted = stand.counter.read().filter(({ received }) => received.directed > 0).length;
    await eventually('the others are handed up', () => firsts() + unseen >= counted);
    assert.ok(firsts() < counted);
  },
);
