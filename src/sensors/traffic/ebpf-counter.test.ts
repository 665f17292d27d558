import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labMissing } from '../../testing/netlab.ts';
import { openEbpfCounter } from './ebpf-counter.ts';
import { openStand, peerCounterContract, transfer } from './peer-counter.contract.ts';

peerCounterContract(openEbpfCounter);

test('what the network card cuts into segments has on the wire the headers of each', { skip: labMissing }, async () => {
  await using stand = await openStand(openEbpfCounter);
  const bytes = 5_000_000;
  await transfer(stand.lab, { from: '10.94.2.2', to: '10.93.0.1', bytes });
  const { received } =
    stand.counter.read().find(({ address }) => address === '10.94.2.2') ?? assert.fail('not counted');
  assert.ok(received.packets < received.wirePackets, 'the link carries packets larger than its MTU');
  // An Ethernet frame holds 1448 bytes beside the headers of IPv4 and of TCP with time stamps, which are 52.
  assert.ok(received.wirePackets >= bytes / 1448);
  assert.equal(received.wireBytes - received.bytes, 52 * (received.wirePackets - received.packets));
});
