import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { encodeAddress } from '../../sys/address.ts';
import { eventually } from '../../testing/eventually.ts';
import { ipv4Packet, udpDatagram } from '../../testing/ip-packet.ts';
import { ip, type LabHost, labMissing } from '../../testing/netlab.ts';
import { crowdMac, labOwn, labPeers, openPeerLab, type PeerLab, watchedInterface } from '../../testing/peer-lab.ts';
import type { Counted, PeerCount, PeerCounter, PeerCounterOptions, SeenPacket } from './peer-counter.ts';

type Open = (options: PeerCounterOptions) => PeerCounter;

/** What a test may use: a counter that was there before the link, so that both have counted the same packets. */
interface Stand extends AsyncDisposable {
  readonly lab: PeerLab;
  readonly counter: PeerCounter;
  readonly seen: readonly SeenPacket[];
}

export async function openStand(open: Open): Promise<Stand> {
  await using opened = new AsyncDisposableStack();
  const lab = opened.use(await openPeerLab());
  const seen: SeenPacket[] = [];
  const onPacket = (packet: SeenPacket): void => void seen.push({ ...packet, bytes: Buffer.from(packet.bytes) });
  const counter = opened.use(openIn(lab.watched, () => open({ own: labOwn, onPacket })));
  await lab.connect();
  const resources = opened.move();
  return { lab, counter, seen, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** What every way of counting promises: it misses no byte, and hands up the packets that tell of new peers and of names. */
export function peerCounterContract(open: Open): void {
  describe('a counter of peers keeps the contract', { skip: labMissing }, () => {
    test('E3: peers and the rest sum up to the interface counters, 0 bytes apart, over ICMP, UDP, TCP, IPv4 and IPv6', async () => {
      await using stand = await openStand(open);
      const { lab, counter } = stand;
      await lab.crowd.run('ping', '-c', '3', '-i', '0.2', labPeers.watched);
      await lab.crowd.run('ping', '-c', '3', '-i', '0.2', '-s', '1000', labPeers.watched6);
      lab.say([datagram({ source: '10.94.1.1', bytes: 500 })]);
      await transfer(lab, { from: '10.94.2.2', to: labPeers.watched, bytes: 3_000_000 });
      await transfer(lab, { from: labPeers.crowd6, to: labPeers.watched6, bytes: 1_000_000 });
      await assertWhole(stand);
      const peers = byAddress(counter.read());
      assert.equal(peers.get('10.94.1.1')?.received.bytes, 528);
      assert.ok(Number(peers.get('10.94.2.2')?.received.bytes) > 3_000_000);
      assert.ok(Number(peers.get(labPeers.crowd6)?.received.bytes) > 1_003_000);
      assert.ok(Number(peers.get(labPeers.crowd)?.sent.bytes) >= 3 * 84);
      assert.ok(
        counter.rest().some(({ kind }) => kind === 'not-ip'),
        'ARP is in the rest',
      );
    });

    test('300 peers have a count of their own each', async () => {
      await using stand = await openStand(open);
      const sources = Array.from({ length: 300 }, (_, peer) => ({
        source: `10.94.${4 + (peer >> 8)}.${peer & 255}`,
        bytes: peer + 1,
      }));
      for (let round = 0; round < 3; round++) stand.lab.say(sources.map(datagram));
      await assertWhole(stand);
      const peers = byAddress(stand.counter.read());
      for (const { source, bytes } of sources) {
        const { received } = peers.get(source) ?? assert.fail(`${source} is not counted`);
        assert.deepEqual([received.packets, received.bytes], [3, 3 * (bytes + 28)], source);
      }
    });

    test('a flood from 20,000 sources: 16,384 are counted one by one, the others together, and the sum stays exact', async () => {
      await using stand = await openStand(open);
      const sources = Array.from({ length: 20_000 }, (_, peer) => `10.94.${peer >> 8}.${peer & 255}`);
      const packets = sources.map((source) => datagram({ source, bytes: 100 }));
      for (let from = 0; from < packets.length; from += 2000) {
        stand.lab.say(packets.slice(from, from + 2000));
        // On a busy machine the kernel delivers late: two bursts at once are more than a ring holds.
        await eventually('the burst is counted', () => receivedPackets(stand) >= from + 2000);
      }
      await assertWhole(stand);
      const peers = stand.counter.read().filter(({ other }) => other === undefined);
      assert.equal(peers.length, 16_384);
      assert.equal(stand.counter.missedPackets(), 0);
      const noRoom = stand.counter.rest().find(({ kind }) => kind === 'no-room');
      assert.ok(Number(noRoom?.received.packets) >= 20_000 - 16_384);
    });

    test('E4: the first packet of a new peer is handed up each way, with who sent it, and no later one', async () => {
      await using stand = await openStand(open);
      const packet = datagram({ source: '10.94.5.5', bytes: 300 });
      stand.lab.say([packet, packet]);
      // The watched host answers with ICMP: nothing listens there.
      const [first, answer, ...later] = await eventually('both are handed up', () => {
        const seen = stand.seen.filter((seen) => ofPeer(seen, '10.94.5.5'));
        return seen.length >= 2 && seen;
      });
      assert.deepEqual([first?.direction, first?.mac, first?.interfaceIndex], ['in', crowdMac, watchedInterface]);
      assert.deepEqual(first?.bytes, packet.subarray(0, 256));
      assert.deepEqual([answer?.direction, answer?.mac], ['out', undefined]);
      assert.deepEqual(later, []);
    });

    test('SG2: the first datagram from each port that asks everybody is handed up, both ways', async () => {
      await using stand = await openStand(open);
      const [source, group] = ['10.94.5.6', '239.9.9.9'];
      const ask = (port: number): Buffer =>
        ipv4Packet({ source, destination: group, protocol: 17, payload: udpDatagram([port, 1900], Buffer.alloc(9)) });
      stand.lab.say([ask(50_001), ask(50_001), ask(50_002)]);
      await askAll(stand.lab, { group, from: 50_003 });
      const portsOf = (peer: string): readonly number[] =>
        stand.seen.filter((seen) => ofPeer(seen, peer)).map(({ bytes }) => bytes.readUInt16BE(20));
      await eventually('all are handed up', () => portsOf(source).length >= 2 && portsOf(group).length > 0);
      assert.deepEqual([portsOf(source), portsOf(group)], [[50_001, 50_002], [50_003]]);
    });

    test('SG10: behind the extension headers of IPv6 ports and types are read as without them; a later fragment has none', async () => {
      await using stand = await openStand(open);
      const { lab, counter } = stand;
      await lab.crowd.run('ping', '-n', '-c', '1', '-s', '4000', labPeers.watched6);
      const first = await eventually('the fragments are counted', () => {
        const { received, firstReceived } = byAddress(counter.read()).get(labPeers.crowd6) ?? {};
        return received && received.directed >= 3 && firstReceived;
      });
      assert.deepEqual([first.protocol, first.flags], [58, 128]);
    });

    test('answers of DNS and greetings of TLS are handed up whole, every one', async () => {
      await using stand = await openStand(open);
      const answer = ipv4Packet({
        source: '10.94.6.6',
        destination: labPeers.watched,
        protocol: 17,
        payload: udpDatagram([53, 40_000], Buffer.alloc(1200, 'd')),
      });
      stand.lab.say([answer, answer]);
      await announce(stand.lab, Buffer.from('an answer of mDNS'));
      const greeting = Buffer.concat([Buffer.from([22, 3, 1, 6, 0, 1]), Buffer.alloc(1100, 'h')]);
      for (const port of [443, 8443]) await greet(stand.lab, port, greeting);
      await greet(stand.lab, 80, greeting);
      await assertWhole(stand);
      const answers = stand.seen.filter((seen) => ofPeer(seen, '10.94.6.6') && seen.direction === 'in');
      assert.deepEqual(
        answers.map(({ bytes }) => bytes.subarray(28).toString()),
        ['d'.repeat(1200), 'd'.repeat(1200)],
      );
      const greetings = stand.seen.filter(({ bytes }) => bytes.includes(greeting));
      assert.deepEqual(
        greetings.map(({ bytes, direction }) => [direction, bytes.readUInt16BE(22)]),
        [
          ['out', 443],
          ['out', 8443],
        ],
      );
      assert.ok(stand.seen.some(({ bytes }) => bytes.subarray(48).toString() === 'an answer of mDNS'));
    });

    test('peers that are forgotten are returned with what was counted of them, and start anew; the others go on', async () => {
      await using stand = await openStand(open);
      const { lab, counter } = stand;
      const say = (source: string): number => lab.say([datagram({ source, bytes: 100 })]);
      const before = transfer(lab, { from: '10.94.7.1', to: labPeers.watched, bytes: 20_000_000 });
      const forgotten: PeerCount[] = [];
      for (let round = 1; round <= 50; round++) {
        say('10.94.7.7');
        await eventually('it is counted', () => byAddress(counter.read()).has('10.94.7.7'));
        forgotten.push(...counter.forget([{ interfaceIndex: watchedInterface, address: '10.94.7.7' }]));
        assert.equal(forgotten.length, round);
      }
      await before;
      await assertWhole(stand, forgotten);
      assert.equal(
        forgotten.reduce((sum, { received }) => sum + received.bytes, 0),
        50 * 128,
      );
      assert.deepEqual(counter.forget([{ interfaceIndex: watchedInterface, address: '10.94.7.7' }]), []);
      assert.deepEqual(counter.forget([{ interfaceIndex: 9, address: labPeers.watched6 }]), []);
      const firsts = stand.seen.filter((seen) => seen.direction === 'in' && ofPeer(seen, '10.94.7.7'));
      assert.equal(firsts.length, 50);
    });

    test('what is for another host is in the rest, as it is in the interface counters', async () => {
      await using stand = await openStand(open);
      await ip(stand.lab.crowd, 'neighbour add 10.93.0.77 lladdr 02:00:00:00:00:77 dev wire');
      await stand.lab.crowd.run('ping', '-c', '1', '-W', '0.1', '10.93.0.77').catch(() => {});
      await assertWhole(stand);
      assert.equal(stand.counter.rest().find(({ kind }) => kind === 'not-ours')?.received.bytes, 84);
    });

    test('malformed headers and later fragments are counted and not looked into', async () => {
      await using stand = await openStand(open);
      const wanted = { source: '10.94.8.8', destination: labPeers.watched, protocol: 17 };
      const answer = udpDatagram([53, 53], Buffer.alloc(40));
      const odd = [
        ipv4Packet({ ...wanted, payload: answer, fragmentOffset: 100 }),
        ipv4Packet({ ...wanted, payload: Buffer.alloc(3) }),
        ipv4Packet({ ...wanted, protocol: 6, payload: Buffer.alloc(13) }),
        ipv4Packet({ ...wanted, protocol: 253, payload: Buffer.alloc(0) }),
      ];
      stand.lab.say(odd);
      await assertWhole(stand);
      const bytes = odd.reduce((sum, packet) => sum + packet.length, 0);
      assert.equal(byAddress(stand.counter.read()).get('10.94.8.8')?.received.bytes, bytes);
      const seen = stand.seen.filter((seen) => seen.direction === 'in' && ofPeer(seen, '10.94.8.8'));
      assert.deepEqual(
        seen.map(({ bytes }) => bytes),
        odd.slice(0, 1),
      );
    });

    test('an interface that goes takes nothing with it, and the next one is counted', async () => {
      await using stand = await openStand(open);
      const { lab, counter } = stand;
      const pings = (): number => byAddress(counter.read()).get(labPeers.crowd)?.received.packets ?? 0;
      await eventually('it is counted', () => pings() > 0);
      const before = pings();
      await ip(lab.watched, 'link delete wire');
      assert.equal(pings(), before);
      await lab.connect();
      await eventually('it is counted', () => pings() > before);
    });

    test('loopback is not counted', async () => {
      await using lab = await openPeerLab();
      using counter = openIn(lab.watched, () =>
        open({ own: labOwn, onPacket: () => assert.fail('nothing is to be seen') }),
      );
      await lab.watched.run('ping', '-c', '1', '127.0.0.1');
      await lab.watched.run('ping', '-c', '1', '::1');
      assert.deepEqual([counter.read(), counter.rest()], [[], []]);
    });

    test('a counter that is closed leaves nothing open', async () => {
      await using lab = await openPeerLab();
      const openAndClose = (): void =>
        openIn(lab.watched, () => open({ own: labOwn, onPacket: () => {} }))[Symbol.dispose]();
      openAndClose();
      const before = descriptors();
      for (let time = 0; time < 10; time++) openAndClose();
      assert.equal(descriptors(), before);
    });
  });
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Opens something that is closed with the host. */
function openIn<Value>(host: LabHost, open: () => Value): Value {
  using _there = host.enter();
  return open();
}

async function within<Value>(host: LabHost, work: () => Promise<Value>): Promise<Value> {
  using _there = host.enter();
  return await work();
}

function datagram({ source, bytes }: { readonly source: string; readonly bytes: number }): Buffer {
  const payload = udpDatagram([40_000, 9], Buffer.alloc(bytes));
  return ipv4Packet({ source, destination: labPeers.watched, protocol: 17, payload });
}

function ofPeer({ bytes, direction }: SeenPacket, ip: string): boolean {
  const start = direction === 'in' ? 12 : 16;
  return (
    bytes.readUInt8(0) >> 4 === 4 &&
    bytes.subarray(start, start + 4).equals(encodeAddress({ ip, family: 4 }).subarray(4, 8))
  );
}

interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
}

/** The crowd sends so many bytes over TCP, and gets one back. */
export async function transfer(lab: PeerLab, { from, to, bytes }: Transfer): Promise<void> {
  const server = createServer((socket) => void socket.on('end', () => socket.end('.')).resume());
  await within(lab.watched, () => once(server.listen(0, to), 'listening'));
  // A listening TCP server has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: to, port, localAddress: from });
  await within(lab.crowd, () => once(socket, 'connect'));
  socket.end(Buffer.alloc(bytes)).resume();
  await once(socket, 'close');
  server.close();
}

/** The crowd sends a datagram from the port of mDNS, over IPv6, to somebody that has talked to it before. */
async function announce(lab: PeerLab, answer: Buffer): Promise<void> {
  await lab.crowd.run('ping', '-c', '1', labPeers.watched6);
  const socket = createSocket('udp6');
  await within(lab.crowd, () => once(socket.bind(5353, labPeers.crowd6), 'listening'));
  await new Promise((resolve) => socket.send(answer, 9, labPeers.watched6, resolve));
  socket.close();
}

/** The watched host sends two datagrams to a multicast group. */
async function askAll(lab: PeerLab, { group, from }: { readonly group: string; readonly from: number }): Promise<void> {
  const socket = createSocket('udp4');
  await within(lab.watched, () => once(socket.bind(from, labPeers.watched), 'listening'));
  socket.setMulticastInterface(labPeers.watched);
  for (const text of ['one', 'two']) await new Promise((resolve) => socket.send(text, 1900, group, resolve));
  socket.close();
}

/** The watched host sends a TLS greeting, or what looks like one, to a port of the crowd. */
async function greet(lab: PeerLab, port: number, greeting: Buffer): Promise<void> {
  const server = createServer((socket) => void socket.on('data', () => socket.end()));
  await within(lab.crowd, () => once(server.listen(port, '10.94.9.9'), 'listening'));
  const socket = await within(lab.watched, async () => {
    const socket = connect({ host: '10.94.9.9', port });
    await once(socket, 'connect');
    return socket;
  });
  socket.end(greeting).resume();
  await once(socket, 'close');
  server.close();
}

function byAddress(peers: readonly PeerCount[]): ReadonlyMap<string, PeerCount> {
  return new Map(peers.map((peer) => [peer.address, peer]));
}

function receivedPackets({ counter }: Stand): number {
  return [...counter.read(), ...counter.rest()].reduce((sum, { received }) => sum + received.packets, 0);
}

const linkHeaderBytes = 14;

/** Packets may come meanwhile: as soon as none comes between the two readings, both are the same. */
async function assertWhole({ lab, counter }: Stand, forgotten: readonly PeerCount[] = []): Promise<void> {
  await eventually(
    'the counts sum up to those of the interface',
    async () => {
      const counters = await lab.counters();
      const all = [...counter.read(), ...counter.rest(), ...forgotten];
      const sum = (way: 'received' | 'sent', what: keyof Counted): number =>
        all.reduce((sum, counts) => sum + counts[way][what], 0);
      const received = sum('received', 'packets');
      const sent = sum('sent', 'packets');
      assert.deepEqual(
        {
          receivedBytes: sum('received', 'bytes') + linkHeaderBytes * received,
          sentBytes: sum('sent', 'bytes') + linkHeaderBytes * sent,
          receivedPackets: received,
          sentPackets: sent,
        },
        counters,
      );
      return true;
    },
    5000,
  );
}
