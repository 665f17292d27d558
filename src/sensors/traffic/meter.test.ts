import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ipv4Packet } from '../../testing/ip-packet.ts';
import { PacketCounter } from '../../testing/packet-counter.ts';
import { PeerMeter } from './meter.ts';
import type { PeerCount } from './peer-counter.ts';

const self = '192.0.2.1';

function openedCounter(): PacketCounter {
  const counter = new PacketCounter();
  counter.open({ own: { addresses: [{ address: self }], broadcasts: [], ports: [] }, onPacket: () => {} });
  return counter;
}

function packetFrom(source: string, bytes: number): Buffer {
  return ipv4Packet({ source, destination: self, protocol: 253, payload: Buffer.alloc(bytes) });
}

function step(meter: PeerMeter, counter: PacketCounter, nowMs: number): void {
  meter.step({ peers: counter.read(), rest: counter.rest() }, nowMs);
}

test('E3: the cumulative bytes go on over silence, also when the kernel has forgotten the peer', () => {
  const counter = openedCounter();
  const meter = new PeerMeter(0);
  counter.pass({ direction: 'in', bytes: packetFrom('198.51.100.1', 80) });
  step(meter, counter, 2000);
  assert.deepEqual(meter.silent(600_000), []);
  const silent = meter.silent(602_000);
  assert.deepEqual(
    silent.map(({ address }) => address),
    ['198.51.100.1'],
  );
  meter.forgotten(counter.forget(silent), 602_000);
  meter.retire(602_000);
  assert.deepEqual([...meter.peers], []);
  counter.pass({ direction: 'in', bytes: packetFrom('198.51.100.1', 180) });
  step(meter, counter, 604_000);
  assert.deepEqual(
    [...meter.peers].map(({ total }) => total),
    [[0, 300]],
  );
});

test('a peer that spoke while it was being forgotten stays, and loses nothing', () => {
  const counter = openedCounter();
  const meter = new PeerMeter(0);
  counter.pass({ direction: 'in', bytes: packetFrom('198.51.100.1', 80) });
  step(meter, counter, 2000);
  const silent = meter.silent(602_000);
  counter.pass({ direction: 'in', bytes: packetFrom('198.51.100.1', 80) });
  meter.forgotten(counter.forget(silent), 602_000);
  meter.retire(602_000);
  assert.deepEqual(
    [...meter.peers].map(({ total }) => total),
    [[0, 200]],
  );
});

test('E3: whatever is read and forgotten when, each peer has what passed, and the interface the sum with 14 bytes a packet', () => {
  const peer = fc.nat(4).map((index) => `198.51.100.${index}`);
  const event = fc.oneof(
    { weight: 5, arbitrary: fc.record({ pass: peer, bytes: fc.nat(1400) }) },
    { weight: 2, arbitrary: fc.constant('read' as const) },
    { weight: 1, arbitrary: fc.record({ forget: peer }) },
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const counter = openedCounter();
      const meter = new PeerMeter(0);
      const passed = new Map<string, number>();
      let onInterface = 0;
      for (const [index, event] of events.entries()) {
        if (event === 'read') step(meter, counter, index);
        else if ('forget' in event)
          meter.forgotten(counter.forget([{ interfaceIndex: 2, address: event.forget }]), index);
        else {
          counter.pass({ direction: 'in', bytes: packetFrom(event.pass, event.bytes) });
          passed.set(event.pass, (passed.get(event.pass) ?? 0) + event.bytes + 20);
          onInterface += event.bytes + 20 + 14;
        }
      }
      step(meter, counter, events.length);
      const totals = new Map([...meter.peers].map(({ address, total }) => [address, total[1]]));
      assert.deepEqual(totals, new Map([...totals.keys()].map((address) => [address, passed.get(address)])));
      assert.equal(totals.size, passed.size);
      assert.equal(meter.beginRecord().get(2)?.taps[1] ?? 0, onInterface);
      assert.deepEqual(meter.beginRecord().get(2), undefined);
    }),
    { numRuns: 500 },
  );
});

test('what there was no room for is summed, and counts for the interface', () => {
  const counter = openedCounter();
  const meter = new PeerMeter(0);
  const received = { bytes: 1000, wireBytes: 1040, packets: 10, wirePackets: 12, directed: 10 };
  const sent = { bytes: 0, wireBytes: 0, packets: 0, wirePackets: 0, directed: 0 };
  counter.noRoom = { interfaceIndex: 2, kind: 'no-room', sent, received };
  step(meter, counter, 2000);
  step(meter, counter, 4000);
  assert.deepEqual(meter.overflow, [0, 1040]);
  assert.deepEqual(meter.beginRecord().get(2), { taps: [0, 1140], wire: [0, 1208] });
});

test('MU39: a counter that began anew adds what it has since, and takes nothing away', () => {
  const meter = new PeerMeter(0);
  const nothing = { bytes: 0, wireBytes: 0, packets: 0, wirePackets: 0, directed: 0 };
  const reading = (packets: number): PeerCount => ({
    interfaceIndex: 2,
    address: '198.51.100.1',
    sent: nothing,
    received: { bytes: 100 * packets, wireBytes: 100 * packets, packets, wirePackets: packets, directed: packets },
  });
  meter.step({ peers: [reading(10)], rest: [] }, 2000);
  meter.step({ peers: [reading(3)], rest: [] }, 4000);
  meter.step({ peers: [reading(4)], rest: [] }, 6000);
  assert.deepEqual(
    [...meter.peers].map(({ total }) => total),
    [[0, 1400]],
  );
  assert.deepEqual(meter.beginRecord().get(2), { taps: [0, 1400 + 14 * 14], wire: [0, 1400 + 14 * 14] });
});
