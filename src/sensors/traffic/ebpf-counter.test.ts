import assert from 'node:assert/strict';
import { test } from 'node:test';
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
