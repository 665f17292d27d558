import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sensorRecord } from '../../core/record.ts';
import { fakeEthernet as ethernet, fakeGateway as gateway } from '../../testing/fake-network.ts';
import { ipv4Packet, udpDatagram } from '../../testing/ip-packet.ts';
import { clientHello, gatewayMac, neighbourMac, tcpSegment, TrafficStand } from '../../testing/traffic-stand.ts';
import type { Interface } from './surroundings.ts';

test('E4: the first packet of an intranet peer is told at once, with way, protocol, port, name and MAC, and told once', () => {
  const stand = new TrafficStand();
  stand.resolve('seat-17.example', '192.168.0.17');
  stand.receive('192.168.0.17');
  stand.receive('192.168.0.17');
  stand.send('192.168.0.17', { payload: udpDatagram([22, 40_000], Buffer.alloc(10)) });
  assert.deepEqual(stand.told, [
    {
      event: 'lan-access',
      interface: 'eth0',
      peer: '192.168.0.17',
      class: 'intranet',
      direction: 'in',
      protocol: 'udp',
      port: 22,
      names: [{ name: 'seat-17.example', source: `dns ${gateway}` }],
      mac: neighbourMac,
    },
  ]);
});

test('E4: a peer that we speak to first has the MAC address that the kernel resolved', async () => {
  const stand = new TrafficStand();
  stand.network.arp.set('192.168.0.17', neighbourMac);
  await stand.step();
  stand.send('192.168.0.17');
  const [record] = stand.told;
  assert.ok(record?.event === 'lan-access');
  assert.deepEqual([record.direction, record.port, record.mac], ['out', 9, neighbourMac]);
});

test('E4: who is allowed, the gateway and the internet make no notice; who is forbidden makes one wherever it is', () => {
  const stand = new TrafficStand({
    allow: ['192.168.0.10', '10.1.0.0/16'],
    forbid: ['203.0.113.0/24', '10.1.2.3', '192.168.0.66'],
  });
  for (const peer of [
    '192.168.0.10',
    '10.1.9.9',
    gateway,
    '198.51.100.1',
    '203.0.113.5',
    '10.1.2.3',
    '192.168.0.66',
    '10.2.0.1',
  ])
    stand.receive(peer);
  assert.deepEqual(stand.events(), [
    'forbidden-peer 203.0.113.5',
    'forbidden-peer 10.1.2.3',
    'forbidden-peer 192.168.0.66',
    'lan-access 10.2.0.1',
  ]);
});

test('E4: a neighbour that only speaks to all is no contact, and is one as soon as it speaks to this machine', async () => {
  const stand = new TrafficStand();
  stand.receive('192.168.0.17', { to: '224.0.0.251', port: 5353 });
  stand.receive('192.168.0.18', { to: '192.168.0.255', port: 137 });
  await stand.step(3);
  assert.deepEqual(stand.events(), []);
  stand.receive('192.168.0.17');
  assert.deepEqual(stand.events(), ['lan-access 192.168.0.17']);
  await stand.step();
  const totals = stand.takeRecord().peers.map(({ address, total }) => [address, total[1]]);
  assert.deepEqual(totals, [
    ['192.168.0.17', 256],
    ['192.168.0.18', 128],
  ]);
});

test('E4: a contact whose first packet got lost on its way to us is told all the same', async () => {
  const stand = new TrafficStand();
  stand.receive('192.168.0.17', { isLost: true });
  assert.deepEqual(stand.events(), []);
  await stand.step();
  const [record] = stand.told;
  assert.ok(record?.event === 'lan-access');
  assert.deepEqual([record.peer, record.direction, record.protocol, record.port], ['192.168.0.17', 'in', 'udp', 22]);
  await stand.step(5);
  assert.equal(stand.told.length, 1);
});

/** What is written where two peers have names. */
async function recordsFor(names: string): Promise<string> {
  const stand = new TrafficStand({ names });
  stand.resolve('far.example', '198.51.100.7');
  stand.resolve('near.example', '192.168.0.17');
  stand.receive('198.51.100.7');
  stand.receive('192.168.0.17');
  await stand.step();
  return JSON.stringify([...stand.told, stand.takeRecord()]);
}

test('E3: names of all peers, of the intranet only, or of none: what is not wanted is in no record', async () => {
  assert.match(await recordsFor('all'), /far\.example.*near\.example|near\.example.*far\.example/);
  const intranet = await recordsFor('intranet');
  assert.match(intranet, /near\.example/);
  assert.doesNotMatch(intranet, /far\.example/);
  assert.doesNotMatch(await recordsFor('none'), /example/);
});

test('SG3: a greeting never takes the place of the DNS answer; odd bytes in it are shown', async () => {
  const stand = new TrafficStand();
  const greeting = clientHello('WWW.exam\u001b[2Jple.org');
  stand.send('198.51.100.7', { protocol: 6, payload: tcpSegment(443, greeting) });
  stand.resolve('other.example', '198.51.100.7');
  await stand.step();
  const peer = stand.takeRecord().peers.find(({ address }) => address === '198.51.100.7');
  assert.deepEqual(peer?.names, [
    { name: 'other.example', source: `dns ${gateway}` },
    { name: String.raw`www.exam\x1b[2jple.org`, source: 'sni' },
  ]);
});

test('E3: a record has rates, cumulative bytes, class, and the MAC address of who is on the link, not of who is behind the router', async () => {
  const stand = new TrafficStand();
  stand.receive('198.51.100.7', { mac: gatewayMac, bytes: 1972 });
  stand.receive('192.168.0.17', { bytes: 972 });
  await stand.step();
  const first = stand.takeRecord();
  await stand.step(4);
  stand.receive('198.51.100.7', { mac: gatewayMac, bytes: 1972 });
  await stand.step();
  const second = stand.takeRecord();
  assert.deepEqual(first.peers, [
    {
      interface: 'eth0',
      address: '198.51.100.7',
      class: 'internet',
      total: [0, 2000],
      wire: [0, 2000],
      rate2: [0, 1000],
      rate10: [0, 1000],
      rate40: [0, 1000],
    },
    {
      interface: 'eth0',
      address: '192.168.0.17',
      class: 'intranet',
      mac: neighbourMac,
      total: [0, 1000],
      wire: [0, 1000],
      rate2: [0, 500],
      rate10: [0, 500],
      rate40: [0, 500],
    },
  ]);
  assert.deepEqual([first.seconds, second.seconds], [2, 10]);
  const [again, ...silent] = second.peers;
  assert.deepEqual(
    [again?.total, again?.rate2, again?.rate10, again?.rate40],
    [
      [0, 4000],
      [0, 1000],
      [0, 200],
      [0, 333],
    ],
  );
  assert.deepEqual(silent, []);
});

test('E3: the self-check compares with the interface since the record before, and is left out where there is nothing to compare', async () => {
  const stand = new TrafficStand();
  stand.receive('192.168.0.17', { bytes: 72 });
  await stand.step(0);
  stand.network.links = [{ ...ethernet, received: 5114 }];
  await stand.step();
  const checkOf = (): unknown => stand.takeRecord().interfaces.map(({ name, check }) => [name, check]);
  assert.deepEqual(checkOf(), [['eth0', { counted: [0, 114], counter: [0, 114] }]]);
  const usb: Interface = { ...ethernet, index: 7, name: 'usb0', mac: '02:00:00:00:00:77', sent: 0, received: 42 };
  stand.network.links = [{ ...ethernet, received: 10 }, usb];
  stand.counter.pass({
    direction: 'in',
    bytes: ipv4Packet({ source: '10.0.0.9', destination: '10.0.0.1', protocol: 1, payload: Buffer.alloc(8) }),
    interfaceIndex: 7,
  });
  await stand.step();
  assert.deepEqual(checkOf(), [
    ['usb0', { counted: [0, 42], counter: [0, 42] }],
    ['eth0', undefined],
  ]);
  stand.network.links = [{ ...ethernet, received: 10 }];
  stand.receive('192.168.0.17', { bytes: 72 });
  await stand.step();
  assert.deepEqual(checkOf(), [['eth0', { counted: [0, 114], counter: [0, 0] }]]);
});

test('an interface that is plugged in is known by its name with the first packet, and also when it is gone', async () => {
  const stand = new TrafficStand();
  await stand.clock.advance(5000);
  stand.network.links = [
    ethernet,
    { ...ethernet, index: 7, name: 'usb0', addresses: [{ address: '10.5.0.2', prefix: 24 }] },
  ];
  const bytes = ipv4Packet({ source: '10.5.0.1', destination: '10.5.0.2', protocol: 1, payload: Buffer.alloc(8) });
  stand.counter.pass({ direction: 'in', bytes, interfaceIndex: 7 });
  const met = stand.told.find((record) => record.event === 'lan-access');
  assert.equal(met?.interface, 'usb0');
  await stand.step();
  stand.takeRecord();
  stand.counter.pass({ direction: 'in', bytes, interfaceIndex: 7 });
  stand.network.links = [ethernet];
  await stand.step();
  const { peers, interfaces } = stand.takeRecord();
  assert.equal(peers[0]?.interface, 'usb0');
  assert.deepEqual(interfaces[0], { name: 'usb0', addresses: [] });
});

test('SG9: 4,000 peers with the longest names are in six records below 190 KiB each; those left out are summed', async () => {
  const stand = new TrafficStand();
  for (let peer = 0; peer < 4000; peer++) {
    const address = `198.${18 + (peer >> 16)}.${(peer >> 8) & 255}.${peer & 255}`;
    if (peer >= 3700) stand.resolve(`${'a'.repeat(60)}.`.repeat(4) + 'example', address);
    stand.receive(address, { bytes: peer });
    if (peer % 500 === 0) stand.observer.step();
  }
  await stand.step();
  const records = stand.observer.takeRecords();
  for (const record of records) {
    sensorRecord.parse(record);
    assert.ok(Buffer.byteLength(JSON.stringify(record)) < 190 * 1024);
  }
  assert.deepEqual(
    records.map(({ part }) => part),
    [undefined, 2, 3, 4, 5, 6],
  );
  const addresses = new Set(records.flatMap(({ peers }) => peers.map(({ address }) => address)));
  assert.ok(addresses.size > 2000, String(addresses.size));
  // The gateway that gave the answers is a peer too.
  assert.equal(addresses.size + (records.at(-1)?.others?.peers ?? 0), 4001);
});

test('packets that passed uncounted are told with the next record, once', async () => {
  const stand = new TrafficStand();
  stand.counter.missed = 12;
  stand.counter.unseen = 3;
  await stand.step();
  stand.takeRecord();
  stand.takeRecord();
  assert.deepEqual(stand.told, [
    { event: 'lost', message: 'packets that passed uncounted', count: 12 },
    {
      event: 'lost',
      message: 'packets that were counted and not looked at: they may have been to further services',
      count: 3,
    },
  ]);
});

test('whatever bytes are handed up, the observer goes on', async () => {
  const stand = new TrafficStand();
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 20, maxLength: 200 }),
      fc.constantFrom(0x45, 0x4f, 0x60),
      (random, first) => {
        const bytes = Buffer.from([first, ...random, ...new Uint8Array(60)]);
        // UDP from port 53, as an answer would be.
        bytes.writeUInt8(17, first === 0x60 ? 6 : 9);
        bytes.writeUInt16BE(53, first === 0x60 ? 40 : 20);
        stand.counter.pass({ direction: 'in', bytes, mac: neighbourMac });
      },
    ),
    { numRuns: 10_000 },
  );
  await stand.step(2);
  sensorRecord.parse(stand.takeRecord());
});
