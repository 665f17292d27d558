import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sensorRecord, type SensorRecord } from '../../core/record.ts';
import { encodeMessage } from '../../net/packets/dns/message.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { ipv4Packet, udpDatagram } from '../../testing/ip-packet.ts';
import { PacketCounter } from '../../testing/packet-counter.ts';
import { TrafficObserver } from './observer.ts';
import { trafficOptions } from './options.ts';
import type { Interface } from './surroundings.ts';

const self = '192.168.0.133';
const gateway = '192.168.0.1';
const gatewayMac = '02:00:00:00:00:01';
const neighbourMac = '02:00:00:00:00:17';
const ethernet: Interface = {
  index: 2,
  name: 'eth0',
  addresses: [{ address: self, prefix: 24 }],
  mac: '02:00:00:00:01:33',
  sent: 1000,
  received: 5000,
};

/** An observer in a network of a test's making. */
class Stand {
  readonly clock = new FakeClock();
  readonly counter = new PacketCounter();
  readonly records: SensorRecord[] = [];
  interfaces: Interface[] = [ethernet];
  arp = new Map<string, string>();
  readonly observer: TrafficObserver;

  constructor(options: Parameters<typeof trafficOptions.parse>[0] = {}) {
    this.observer = new TrafficObserver({
      options: trafficOptions.parse(options),
      clock: this.clock,
      record: (record) => this.records.push(sensorRecord.parse(record)),
      surroundings: {
        interfaces: () => this.interfaces,
        services: () => [gateway],
        macOf: (address) => this.arp.get(address),
      },
      openCounter: (options) => this.counter.open(options),
    });
  }

  receive(source: string, { mac = neighbourMac, port = 22, to = self, isLost = false, bytes = 100 } = {}): void {
    const payload = udpDatagram([40_000, port], Buffer.alloc(bytes));
    const packet = ipv4Packet({ source, destination: to, protocol: 17, payload });
    this.counter.pass({ direction: 'in', bytes: packet, mac, isLost });
  }

  send(destination: string, { payload = udpDatagram([40_000, 9], Buffer.alloc(100)), protocol = 17 } = {}): void {
    this.counter.pass({ direction: 'out', bytes: ipv4Packet({ source: self, destination, protocol, payload }) });
  }

  async step(steps = 1): Promise<void> {
    for (let step = 0; step < steps; step++) {
      await this.clock.advance(2000);
      this.observer.step();
    }
  }

  events(): readonly string[] {
    return this.records.map((record) => ('peer' in record ? `${record.event} ${record.peer}` : record.event));
  }
}

function answerFor(name: string, address: string): Buffer {
  const answers = [{ name, type: 'A', ttlSeconds: 60, data: address }];
  const counts = { id: 1, opcode: 0, rcode: 0, authorities: [], additionals: [] };
  return encodeMessage({ ...counts, flags: ['qr'], questions: [{ name, type: 'A' }], answers });
}

function hearAnswer(stand: Stand, name: string, address: string): void {
  const packet = { source: gateway, destination: self, protocol: 17 };
  const payload = udpDatagram([53, 40_000], answerFor(name, address));
  stand.counter.pass({ direction: 'in', bytes: ipv4Packet({ ...packet, payload }), mac: gatewayMac });
}

test('E4: the first packet of an intranet peer is told at once, with way, protocol, port, name and MAC, and told once', () => {
  const stand = new Stand();
  hearAnswer(stand, 'seat-17.example', '192.168.0.17');
  stand.receive('192.168.0.17');
  stand.receive('192.168.0.17', { port: 23 });
  stand.send('192.168.0.17');
  assert.deepEqual(stand.records, [
    {
      event: 'lan-access',
      interface: 'eth0',
      peer: '192.168.0.17',
      class: 'intranet',
      direction: 'in',
      protocol: 'udp',
      port: 22,
      name: 'seat-17.example',
      mac: neighbourMac,
    },
  ]);
});

test('E4: a peer that we speak to first has the MAC address that the kernel resolved', () => {
  const stand = new Stand();
  stand.arp.set('192.168.0.17', neighbourMac);
  stand.send('192.168.0.17');
  const [record] = stand.records;
  assert.ok(record?.event === 'lan-access');
  assert.deepEqual([record.direction, record.port, record.mac], ['out', 9, neighbourMac]);
});

test('E4: who is allowed, the gateway and the internet make no notice; who is forbidden makes one wherever it is', () => {
  const stand = new Stand({
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
  const stand = new Stand();
  stand.receive('192.168.0.17', { to: '224.0.0.251', port: 5353 });
  stand.receive('192.168.0.18', { to: '192.168.0.255', port: 137 });
  await stand.step(3);
  assert.deepEqual(stand.events(), []);
  stand.receive('192.168.0.17');
  assert.deepEqual(stand.events(), ['lan-access 192.168.0.17']);
  await stand.step();
  const totals = stand.observer.takeRecord().peers.map(({ address, total }) => [address, total[1]]);
  assert.deepEqual(totals, [
    ['192.168.0.17', 256],
    ['192.168.0.18', 128],
  ]);
});

test('E4: a contact whose first packet got lost on its way to us is told all the same', async () => {
  const stand = new Stand();
  stand.receive('192.168.0.17', { isLost: true });
  await stand.step();
  assert.deepEqual(stand.events(), []);
  await stand.step();
  assert.deepEqual(stand.events(), ['lan-access 192.168.0.17']);
  assert.equal(stand.records[0]?.event === 'lan-access' && stand.records[0].protocol, 'unknown');
  await stand.step(5);
  assert.equal(stand.records.length, 1);
});

test('E4: a peer is told again after a day', async () => {
  const stand = new Stand();
  stand.receive('192.168.0.17');
  await stand.step(400);
  stand.receive('192.168.0.17');
  assert.equal(stand.records.length, 1);
  await stand.step();
  assert.ok(stand.counter.forgotten.includes('192.168.0.17'), 'the kernel need not remember it');
  await stand.clock.advance(24 * 3_600_000);
  await stand.step();
  stand.receive('192.168.0.17');
  assert.equal(stand.records.length, 2);
});

test('a scan of the network makes 60 notices a minute, and one that says how many more there were; a forbidden peer is told all the same', async () => {
  const stand = new Stand({ forbid: ['203.0.113.5'] });
  await stand.step();
  for (let peer = 0; peer < 5000; peer++) stand.send(`10.9.${peer >> 8}.${peer & 255}`);
  stand.send('203.0.113.5');
  assert.equal(stand.records.length, 61);
  assert.equal(stand.events().at(-1), 'forbidden-peer 203.0.113.5');
  await stand.step(31);
  const lost = stand.records.slice(61);
  assert.deepEqual(
    lost.map((record) => record.event === 'lost' && record.count),
    [4940],
  );
  stand.send('10.10.0.1');
  assert.equal(stand.events().at(-1), 'lan-access 10.10.0.1');
});

/** What is written where two peers have names. */
async function recordsFor(names: string): Promise<string> {
  const stand = new Stand({ names });
  hearAnswer(stand, 'far.example', '198.51.100.7');
  hearAnswer(stand, 'near.example', '192.168.0.17');
  stand.receive('198.51.100.7');
  stand.receive('192.168.0.17');
  await stand.step();
  return JSON.stringify([...stand.records, stand.observer.takeRecord()]);
}

test('E3: names of all peers, of the intranet only, or of none: what is not wanted is in no record', async () => {
  assert.match(await recordsFor('all'), /far\.example.*near\.example|near\.example.*far\.example/);
  const intranet = await recordsFor('intranet');
  assert.match(intranet, /near\.example/);
  assert.doesNotMatch(intranet, /far\.example/);
  assert.doesNotMatch(await recordsFor('none'), /example/);
});

test('E3: the name that was greeted stays, whatever else is said to have the address; odd bytes in it are shown', async () => {
  const stand = new Stand();
  const greeting = clientHello('WWW.exam\u001b[2Jple.org');
  stand.send('198.51.100.7', { protocol: 6, payload: tcpSegment(443, greeting) });
  hearAnswer(stand, 'other.example', '198.51.100.7');
  await stand.step();
  const peer = stand.observer.takeRecord().peers.find(({ address }) => address === '198.51.100.7');
  assert.equal(peer?.name, String.raw`www.exam\x1b[2jple.org`);
});

test('E3: a record has rates, cumulative bytes, class, and the MAC address of who is on the link, not of who is behind the router', async () => {
  const stand = new Stand();
  stand.receive('198.51.100.7', { mac: gatewayMac, bytes: 1972 });
  stand.receive('192.168.0.17', { bytes: 972 });
  await stand.step();
  const first = stand.observer.takeRecord();
  await stand.step(4);
  stand.receive('198.51.100.7', { mac: gatewayMac, bytes: 1972 });
  await stand.step();
  const second = stand.observer.takeRecord();
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
  const stand = new Stand();
  stand.receive('192.168.0.17', { bytes: 72 });
  await stand.step(0);
  stand.interfaces = [{ ...ethernet, received: 5114 }];
  await stand.step();
  const checkOf = (): unknown => stand.observer.takeRecord().interfaces.map(({ name, check }) => [name, check]);
  assert.deepEqual(checkOf(), [['eth0', { counted: [0, 114], counter: [0, 114] }]]);
  const usb: Interface = { ...ethernet, index: 7, name: 'usb0', mac: '02:00:00:00:00:77', sent: 0, received: 42 };
  stand.interfaces = [{ ...ethernet, received: 10 }, usb];
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
  stand.interfaces = [{ ...ethernet, received: 10 }];
  stand.receive('192.168.0.17', { bytes: 72 });
  await stand.step();
  assert.deepEqual(checkOf(), [['eth0', { counted: [0, 114], counter: [0, 0] }]]);
});

test('an interface that is plugged in is known by its name with the first packet, and also when it is gone', async () => {
  const stand = new Stand();
  await stand.clock.advance(5000);
  stand.interfaces = [
    ethernet,
    { ...ethernet, index: 7, name: 'usb0', addresses: [{ address: '10.5.0.2', prefix: 24 }] },
  ];
  const bytes = ipv4Packet({ source: '10.5.0.1', destination: '10.5.0.2', protocol: 1, payload: Buffer.alloc(8) });
  stand.counter.pass({ direction: 'in', bytes, interfaceIndex: 7 });
  assert.equal(stand.records[0]?.event === 'lan-access' && stand.records[0].interface, 'usb0');
  await stand.step();
  stand.observer.takeRecord();
  stand.counter.pass({ direction: 'in', bytes, interfaceIndex: 7 });
  stand.interfaces = [ethernet];
  await stand.step();
  const { peers, interfaces } = stand.observer.takeRecord();
  assert.equal(peers[0]?.interface, 'usb0');
  assert.deepEqual(interfaces[0], { name: 'usb0', addresses: [] });
});

test('a record of 16,000 peers with the longest names stays below 190 KiB; those left out are summed', async () => {
  const stand = new Stand();
  for (let peer = 0; peer < 16_000; peer++) {
    const address = `198.${18 + (peer >> 16)}.${(peer >> 8) & 255}.${peer & 255}`;
    if (peer >= 15_700) hearAnswer(stand, `${'a'.repeat(60)}.`.repeat(4) + 'example', address);
    stand.receive(address, { bytes: peer });
    if (peer % 300 === 0) await stand.step();
  }
  await stand.step();
  const record = stand.observer.takeRecord();
  sensorRecord.parse(record);
  assert.ok(Buffer.byteLength(JSON.stringify(record)) < 190 * 1024);
  assert.ok(record.peers.length > 200 && record.peers.length <= 400, String(record.peers.length));
  // The gateway that gave the answers is a peer too.
  assert.equal(record.peers.length + (record.others?.peers ?? 0), 16_001);
});

test('packets that passed uncounted are told with the next record, once', async () => {
  const stand = new Stand();
  stand.counter.missed = 12;
  await stand.step();
  stand.observer.takeRecord();
  stand.observer.takeRecord();
  assert.deepEqual(stand.records, [
    { event: 'lost', message: 'packets that passed uncounted, too many at once', count: 12 },
  ]);
});

test('whatever bytes are handed up, the observer goes on', async () => {
  const stand = new Stand();
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
  sensorRecord.parse(stand.observer.takeRecord());
});

function tcpSegment(port: number, data: Buffer): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(40_000, 0);
  header.writeUInt16BE(port, 2);
  header.writeUInt8(0x50, 12);
  return Buffer.concat([header, data]);
}

/** The least of a ClientHello that has a server name. */
function clientHello(name: string): Buffer {
  const bytes = Buffer.from(name, 'latin1');
  const list = Buffer.concat([Buffer.from([0]), u16(bytes.length), bytes]);
  const extension = Buffer.concat([u16(0), u16(list.length + 2), u16(list.length), list]);
  const suites = Buffer.from([0, 2, 0x13, 0x01, 1, 0]);
  const hello = Buffer.concat([Buffer.alloc(2 + 32), Buffer.from([0]), suites, u16(extension.length), extension]);
  return Buffer.concat([Buffer.from([22, 3, 1]), u16(hello.length + 4), Buffer.from([1, 0]), u16(hello.length), hello]);
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}
