import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SensorRecord } from '../../core/record.ts';
import { fakeEthernet, fakeGateway } from '../../testing/fake-network.ts';
import { udpDatagram } from '../../testing/ip-packet.ts';
import { tcpFlag, tcpSegment, TrafficStand } from '../../testing/traffic-stand.ts';

type Contact = Extract<SensorRecord, { event: 'lan-access' | 'forbidden-peer' }>;

const neighbour = '192.168.0.17';

function contactsOf({ told }: TrafficStand): readonly string[] {
  return told
    .filter((record): record is Contact => record.event === 'lan-access' || record.event === 'forbidden-peer')
    .map(({ event, peer, direction, protocol, port }) =>
      `${event} ${direction} ${peer} ${protocol} ${port ?? ''}`.trim(),
    );
}

function tcp(stand: TrafficStand, way: 'in' | 'out', segment: Buffer): void {
  if (way === 'out') stand.send(neighbour, { protocol: 6, payload: segment });
  else stand.receiveIp(neighbour, { protocol: 6, payload: segment });
}

test('SG2: other hosts’ multicast and broadcast are no contact when the queue lost them, nor are ours', async () => {
  const stand = new TrafficStand({ forbid: ['0.0.0.0/0'] });
  for (let host = 1; host <= 15; host++) {
    stand.receive(`192.168.0.${200 + host}`, { to: '224.0.0.251', port: 5353, isLost: true });
    stand.receive(`192.168.0.${220 + host}`, { to: '192.168.0.255', port: 137, isLost: true });
    stand.receive(`192.168.0.${220 + host}`, { to: '255.255.255.255', port: 67, isLost: true });
  }
  stand.send('239.1.2.3');
  stand.send('192.168.0.255');
  stand.send('255.255.255.255');
  await stand.step(5);
  assert.deepEqual(stand.events(), []);
});

test('SG2: after the process stood still a contact is told as what it was', async () => {
  const stand = new TrafficStand();
  stand.clock.stall(3000);
  const answer = udpDatagram([40_000, 9], Buffer.alloc(10));
  stand.receive(neighbour, { port: 40_000, from: 9, isLost: true });
  stand.send('192.168.0.18', { payload: answer });
  await stand.step(2);
  assert.deepEqual(contactsOf(stand), ['lan-access out 192.168.0.18 udp 9', `lan-access unknown ${neighbour} udp 9`]);
});

test('SG2: what programs answer to questions for everybody is no contact', async () => {
  const stand = new TrafficStand({ forbid: ['192.168.0.0/24'] });
  for (const port of [137, 1900, 3702, 5353, 5355])
    stand.send(`192.168.0.${port % 200}`, { payload: udpDatagram([port, 50_000], Buffer.alloc(10)) });
  stand.receive(neighbour, { from: 67, port: 68 });
  await stand.step(2);
  assert.deepEqual(stand.events(), []);
  // What does not look like it is.
  stand.send(neighbour, { payload: udpDatagram([50_000, 5353], Buffer.alloc(10)) });
  assert.deepEqual(contactsOf(stand), [`forbidden-peer out ${neighbour} udp 5353`]);
});

test('SG2: neighbour discovery and errors about other packets are no contact', async () => {
  const stand = new TrafficStand();
  for (const type of [3, 4, 5, 11, 12])
    stand.receiveIp(neighbour, { protocol: 1, payload: Buffer.from([type, 0, 0, 0]) });
  for (const type of [1, 2, 3, 4, 133, 134, 135, 136, 137])
    stand.receiveIp('192.168.0.18', { protocol: 58, payload: Buffer.from([type, 0, 0, 0]) });
  await stand.step(2);
  assert.deepEqual(stand.events(), []);
});

const beginnings: readonly (readonly [string, (stand: TrafficStand) => void, readonly string[]])[] = [
  ['a SYN that we send', (stand) => tcp(stand, 'out', tcpSegment(22)), ['out tcp 22']],
  ['a SYN that we get', (stand) => tcp(stand, 'in', tcpSegment(22)), ['in tcp 22']],
  [
    'an answer to a SYN that nobody sent',
    (stand) => tcp(stand, 'in', tcpSegment(50_000, undefined, { from: 22, flags: tcpFlag.synAck })),
    ['unknown tcp 22'],
  ],
  [
    'our answer to a SYN that was not seen',
    (stand) => tcp(stand, 'out', tcpSegment(50_000, undefined, { from: 22, flags: tcpFlag.synAck })),
    ['in tcp 22'],
  ],
  [
    'the middle of a connection',
    (stand) => tcp(stand, 'out', tcpSegment(50_000, undefined, { from: 22, flags: tcpFlag.ack })),
    ['unknown tcp 22'],
  ],
  [
    'an echo request and its reply',
    (stand) => {
      stand.send(neighbour, { protocol: 1, payload: Buffer.from([8, 0, 0, 0]) });
      stand.receiveIp(neighbour, { protocol: 1, payload: Buffer.from([0, 0, 0, 0]) });
    },
    ['out icmp'],
  ],
  [
    'a reply to a request that nobody sent',
    (stand) => stand.receiveIp(neighbour, { protocol: 1, payload: Buffer.from([0, 0, 0, 0]) }),
    ['unknown icmp'],
  ],
  [
    'our reply to a request that was not seen',
    (stand) => stand.send(neighbour, { protocol: 1, payload: Buffer.from([0, 0, 0, 0]) }),
    ['in icmp'],
  ],
  [
    'a request for a timestamp, and our reply',
    (stand) => {
      stand.receiveIp(neighbour, { protocol: 1, payload: Buffer.from([13, 0, 0, 0]) });
      stand.send(neighbour, { protocol: 1, payload: Buffer.from([14, 0, 0, 0]) });
    },
    ['in icmp/13'],
  ],
  ['a reset', (stand) => tcp(stand, 'in', tcpSegment(50_000, undefined, { from: 22, flags: tcpFlag.reset })), []],
  [
    'SCTP, and its answer',
    (stand) => {
      stand.send(neighbour, { protocol: 132, payload: Buffer.alloc(32) });
      stand.receiveIp(neighbour, { protocol: 132, payload: Buffer.alloc(32) });
    },
    ['out 132'],
  ],
  [
    'headers that are cut off',
    (stand) => {
      stand.receiveIp(neighbour, { protocol: 17, payload: Buffer.alloc(2) });
      tcp(stand, 'in', Buffer.alloc(3));
    },
    ['in udp', 'unknown tcp'],
  ],
  [
    'an answer from any port to our question to all',
    (stand) => {
      stand.send('239.255.255.250', { payload: udpDatagram([51_234, 1900], Buffer.alloc(9)) });
      stand.receive(neighbour, { from: 45_678, port: 51_234 });
    },
    [],
  ],
  [
    'our answer from any port to a question to all',
    (stand) => {
      stand.receive(neighbour, { to: '239.255.255.250', from: 47_000, port: 3702 });
      stand.send(neighbour, { payload: udpDatagram([45_678, 47_000], Buffer.alloc(9)) });
    },
    [],
  ],
  [
    'a datagram to the port of a service that has announced itself to all',
    (stand) => {
      stand.receive(neighbour, { to: '192.168.0.255', from: 2425, port: 2425 });
      stand.send(neighbour, { payload: udpDatagram([2425, 2425], Buffer.alloc(9)) });
    },
    ['unknown udp 2425'],
  ],
  [
    'a datagram to a port from which another host asked',
    (stand) => {
      stand.receive('192.168.0.18', { to: '239.255.255.250', from: 47_000, port: 3702 });
      stand.send(neighbour, { payload: udpDatagram([45_678, 47_000], Buffer.alloc(9)) });
    },
    ['out udp 47000'],
  ],
  [
    'an answer of a service over UDP',
    (stand) => stand.receive(neighbour, { from: 123, port: 50_000 }),
    ['unknown udp 123'],
  ],
  [
    'a question over UDP and its answer, both from high ports',
    (stand) => {
      stand.send(neighbour, { payload: udpDatagram([50_000, 60_000], Buffer.alloc(9)) });
      stand.receive(neighbour, { from: 60_000, port: 50_000 });
    },
    ['out udp 60000'],
  ],
  ['another protocol', (stand) => stand.send(neighbour, { protocol: 47, payload: Buffer.alloc(8) }), ['out 47']],
];

for (const [what, happen, expected] of beginnings)
  test(`SG10: who contacted whom: ${what}`, async () => {
    const stand = new TrafficStand();
    happen(stand);
    await stand.step(2);
    assert.deepEqual(
      contactsOf(stand),
      expected.map((text) => text.replace(' ', ` ${neighbour} `)).map((text) => `lan-access ${text}`),
    );
  });

test('SG9: what is sent in ICMP errors, or as answers to questions to all, is told by its volume', async () => {
  const stand = new TrafficStand();
  for (let packet = 0; packet < 1000; packet++) {
    stand.receiveIp(neighbour, {
      protocol: 1,
      payload: Buffer.concat([Buffer.from([3, 3, 0, 0]), Buffer.alloc(1400)]),
    });
    stand.receive('192.168.0.18', { from: 1900, port: 50_000, bytes: 1400 });
  }
  await stand.step();
  assert.deepEqual(stand.events(), [`contact-volume ${neighbour}`, 'contact-volume 192.168.0.18']);
});

test('SG9: a ping licenses no copy: another service, another direction and much traffic are told again', async () => {
  const stand = new TrafficStand();
  stand.send(neighbour, { protocol: 1, payload: Buffer.from([8, 0, 0, 0]) });
  tcp(stand, 'out', tcpSegment(445));
  tcp(stand, 'out', tcpSegment(445));
  tcp(stand, 'in', tcpSegment(22));
  assert.deepEqual(contactsOf(stand), [
    `lan-access out ${neighbour} icmp`,
    `lan-access out ${neighbour} tcp 445`,
    `lan-access in ${neighbour} tcp 22`,
  ]);
  const segment = tcpSegment(445, Buffer.alloc(60_000), { flags: tcpFlag.ack });
  for (let packet = 0; packet < 20; packet++) tcp(stand, 'out', segment);
  await stand.step();
  assert.equal(stand.events().at(-1), `contact-volume ${neighbour}`);
  for (let packet = 0; packet < 20; packet++) tcp(stand, 'out', segment);
  await stand.step();
  assert.equal(stand.events().filter((event) => event.startsWith('contact-volume')).length, 1);
  for (let packet = 0; packet < 200; packet++) tcp(stand, 'out', segment);
  await stand.step();
  assert.equal(stand.events().filter((event) => event.startsWith('contact-volume')).length, 2);
});

test('SG9: a peer that was silent for ten minutes is told again, also if it went on to announce itself', async () => {
  const stand = new TrafficStand();
  stand.receive(neighbour);
  for (let minute = 0; minute < 11; minute++) {
    stand.announce(neighbour, 'seat-17.local');
    await stand.step(30);
  }
  assert.equal(contactsOf(stand).length, 1);
  stand.receive(neighbour);
  await stand.step();
  assert.deepEqual(contactsOf(stand), [`lan-access in ${neighbour} udp 22`, `lan-access in ${neighbour} udp 22`]);
  await stand.step(250);
  stand.receive(neighbour);
  assert.equal(contactsOf(stand).length, 2, 'not after less than that');
});

test('SG9: a scan is an alarm of its own; every host that it reached is in a record, and a copy after it is told', async () => {
  const stand = new TrafficStand({ forbid: ['203.0.113.5'] });
  await stand.step();
  for (let peer = 0; peer < 5000; peer++)
    stand.send(`10.9.${peer >> 8}.${peer & 255}`, { protocol: 6, payload: tcpSegment(445) });
  stand.send('203.0.113.5');
  assert.equal(stand.events().at(-1), 'forbidden-peer 203.0.113.5');
  const scans = stand.told.filter((record) => record.event === 'scan');
  assert.partialDeepStrictEqual(scans, [{ direction: 'out', of: 'hosts', count: 61 }]);
  assert.equal(scans.length, 1);
  await stand.step();
  const alone = stand.told.filter((record) => record.event === 'lan-access').map(({ peer }) => peer);
  const listed = stand.told.flatMap((record) => (record.event === 'more-contacts' ? record.contacts : []));
  assert.equal(alone.length, 60);
  assert.equal(new Set([...alone, ...listed.map(({ peer }) => peer)]).size, 5000);
  const segment = tcpSegment(445, Buffer.alloc(60_000), { flags: tcpFlag.ack });
  for (let packet = 0; packet < 20; packet++) stand.send('10.9.7.7', { protocol: 6, payload: segment });
  await stand.step();
  assert.equal(stand.events().at(-1), 'contact-volume 10.9.7.7');
});

test('SG9: a flood of others uses up nothing of what is told of this machine', async () => {
  const stand = new TrafficStand();
  for (let peer = 0; peer < 5000; peer++)
    stand.receiveIp(`10.9.${peer >> 8}.${peer & 255}`, { payload: tcpSegment(22) });
  tcp(stand, 'out', tcpSegment(445));
  assert.equal(contactsOf(stand).at(-1), `lan-access out ${neighbour} tcp 445`);
  await stand.step();
  assert.partialDeepStrictEqual(
    stand.told.filter((record) => record.event === 'scan'),
    [{ direction: 'in', of: 'hosts' }],
  );
});

test('SG9: a scan of the ports of one host is one alarm', async () => {
  const stand = new TrafficStand();
  for (let port = 1; port <= 1000; port++) tcp(stand, 'in', tcpSegment(port));
  await stand.step();
  assert.equal(contactsOf(stand).length, 16);
  assert.partialDeepStrictEqual(
    stand.told.filter((record) => record.event === 'scan'),
    [{ direction: 'in', of: 'ports', peer: neighbour, count: 17 }],
  );
});

test('SG12: "nothing but these hosts" can be written; our server, gateway and resolver always may', async () => {
  const stand = new TrafficStand(
    { forbid: ['0.0.0.0/0', '::/0', '10.1.2.0/24'], allow: ['10.1.2.3', '10.1.0.0/16', '10.1.2.0/24'] },
    ['198.51.100.9'],
  );
  for (const peer of ['10.1.2.3', '10.1.9.9', '10.1.2.4', fakeGateway, '198.51.100.9', '192.168.0.9', '203.0.113.1'])
    stand.send(peer);
  stand.send('224.0.0.251');
  await stand.step(2);
  assert.deepEqual(contactsOf(stand), ['forbidden-peer out 192.168.0.9 udp 9', 'forbidden-peer out 203.0.113.1 udp 9']);
});

test('SG12: a smaller forbidden network in a larger allowed one is forbidden', () => {
  const stand = new TrafficStand({ allow: ['10.0.0.0/8'], forbid: ['10.1.2.3'] });
  stand.send('10.1.2.3');
  stand.send('10.1.2.4');
  assert.deepEqual(contactsOf(stand), ['forbidden-peer out 10.1.2.3 udp 9']);
});

test('SG1: interfaces that were not chosen are in no record', async () => {
  const usb = { ...fakeEthernet, index: 7, name: 'usb0', addresses: [{ address: '10.5.0.2', prefix: 24 }] };
  for (const [interfaces, isUsbThere] of [
    [['eth*'], false],
    [['!usb0'], false],
    [['usb0', 'eth0'], true],
    [[], true],
  ] as const) {
    const stand = new TrafficStand({ interfaces });
    stand.network.links = [fakeEthernet, usb];
    stand.network.change();
    stand.counter.pass({
      direction: 'in',
      bytes: Buffer.concat([ipHeader('10.5.0.1', '10.5.0.2'), tcpSegment(22)]),
      interfaceIndex: 7,
    });
    stand.receive(neighbour);
    await stand.step();
    const met = contactsOf(stand).some((text) => text.includes('10.5.0.1'));
    const peers = stand.takeRecord().peers.map(({ address }) => address);
    assert.deepEqual([met, peers.includes('10.5.0.1')], [isUsbThere, isUsbThere], interfaces.join());
    assert.ok(peers.includes(neighbour));
  }
});

test('SG1: packets that passed before a new address was known are counted for this machine in the end', async () => {
  const stand = new TrafficStand();
  // The kernel has the address, and the news of it has not been read.
  const address = '192.168.0.200';
  stand.counter.pass({
    direction: 'out',
    bytes: Buffer.concat([ipHeader(address, neighbour), tcpSegment(445)]),
    isLost: true,
  });
  await stand.step();
  assert.equal(stand.observer.passedOn().length, 1);
  stand.network.links = [{ ...fakeEthernet, addresses: [...fakeEthernet.addresses, { address, prefix: 24 }] }];
  stand.network.change();
  await stand.step();
  assert.deepEqual(stand.observer.passedOn(), []);
  assert.deepEqual(contactsOf(stand), [`lan-access out ${neighbour} tcp 445`]);
  assert.equal(stand.takeRecord().peers.find((peer) => peer.address === neighbour)?.total[0], 40);
  assert.equal(stand.events().includes('passed-on'), false);
});

test('SG1: what is sent from an address that only the kernel knows as ours is not passed on', () => {
  const stand = new TrafficStand();
  stand.network.local.add('10.94.0.1');
  stand.send(neighbour, { from: '10.94.0.1' });
  assert.deepEqual(contactsOf(stand), [`lan-access out ${neighbour} udp 9`]);
});

test('SG1: a stranger’s packet for somebody else, sent to this machine, accuses it of nothing', async () => {
  const stand = new TrafficStand({ forbid: ['0.0.0.0/0'] });
  stand.receive('10.66.0.1', { to: '8.8.8.8' });
  await stand.step(2);
  assert.deepEqual(stand.events(), []);
  assert.deepEqual(stand.takeRecord().passedOn, undefined);
});

/** The header of an IPv4 packet with a TCP segment of 20 bytes. */
function ipHeader(source: string, destination: string): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(40, 2);
  header.writeUInt8(64, 8);
  header.writeUInt8(6, 9);
  for (const [index, address] of [source, destination].entries())
    Buffer.from(address.split('.').map(Number)).copy(header, 12 + 4 * index);
  return header;
}

test('SG10: the answers of a contact are no contact of their own', async () => {
  const stand = new TrafficStand();
  tcp(stand, 'out', tcpSegment(22));
  tcp(stand, 'in', tcpSegment(40_000, undefined, { from: 22, flags: tcpFlag.synAck }));
  tcp(stand, 'out', tcpSegment(22, undefined, { flags: tcpFlag.ack }));
  await stand.step(3);
  assert.deepEqual(contactsOf(stand), [`lan-access out ${neighbour} tcp 22`]);
});
