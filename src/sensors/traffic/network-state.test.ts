import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SensorRecord } from '../../core/record.ts';
import { recordText } from '../../records/record-text.ts';
import { SystemError } from '../../sys/libc.ts';
import { fakeEthernet, fakeGateway } from '../../testing/fake-network.ts';
import { neighbourMac, TrafficStand } from '../../testing/traffic-stand.ts';
import type { Interface } from './surroundings.ts';

const usb: Interface = {
  ...fakeEthernet,
  index: 7,
  name: 'usb0',
  mac: '02:00:00:00:00:77',
  addresses: [{ address: '192.168.43.7', prefix: 24 }],
};

function textsOf(records: readonly SensorRecord[]): readonly string[] {
  return records.map((record) => recordText(record).replace('this machine ', ''));
}

test('SG4: what surrounds the machine at the start is recorded', () => {
  const { records } = new TrafficStand();
  assert.deepEqual(textsOf(records), [
    'has the network interface eth0 (network card)',
    'has the address 192.168.0.133/24 of eth0',
    'has the MAC address 02:00:00:00:01:33 of eth0',
    'has the default route via 192.168.0.1 on eth0',
    'has the list of DNS servers 192.168.0.1',
  ]);
});

test('SG4: a hotspot is told at once: interface, address, route and resolver', async () => {
  const stand = new TrafficStand();
  stand.network.links = [fakeEthernet, usb];
  stand.network.routes = [{ interfaceIndex: 7, gateway: '192.168.43.1', family: 4 }];
  stand.network.servers = ['192.168.43.1'];
  stand.network.change();
  assert.deepEqual(textsOf(stand.told), [
    'now has the network interface usb0 (network card)',
    'now has the address 192.168.43.7/24 of usb0',
    'now has the MAC address 02:00:00:00:00:77 of usb0',
    'this machine: the default route is now via 192.168.43.1 on usb0, before via 192.168.0.1 on eth0',
    'this machine: the list of DNS servers is now 192.168.43.1, before 192.168.0.1',
  ]);
  stand.records.length = 0;
  stand.network.links = [fakeEthernet];
  stand.network.routes = [];
  await stand.step();
  assert.deepEqual(textsOf(stand.told), [
    'no longer has the network interface usb0 (network card)',
    'no longer has the address 192.168.43.7/24 of usb0',
    'no longer has the MAC address 02:00:00:00:00:77 of usb0',
    'no longer has the default route via 192.168.43.1 on usb0',
  ]);
});

test('SG4: the gateway and resolver that may be met are those of the start', async () => {
  const stand = new TrafficStand();
  stand.network.links = [fakeEthernet, usb];
  stand.network.routes = [{ interfaceIndex: 7, gateway: '192.168.43.1', family: 4 }];
  stand.network.servers = ['192.168.43.1'];
  stand.network.change();
  stand.send('192.168.43.1');
  stand.send(fakeGateway);
  await stand.step();
  assert.deepEqual(
    stand.events().filter((event) => event.startsWith('lan')),
    ['lan-access 192.168.43.1'],
  );
});

test('SG4: an own MAC address that changes is told, and a port of a bridge', () => {
  const stand = new TrafficStand();
  const bridge: Interface = { ...fakeEthernet, index: 9, name: 'br0', kind: 'bridge', addresses: [] };
  stand.network.links = [{ ...fakeEthernet, mac: '02:00:00:00:09:99', master: 9 }, bridge];
  stand.network.change();
  const texts = textsOf(stand.told);
  assert.ok(
    texts.includes('this machine: the MAC address of eth0 is now 02:00:00:00:09:99, before 02:00:00:00:01:33'),
    texts.join('\n'),
  );
  assert.ok(texts.includes('now has the bridge br0 of eth0'));
});

test('SG13: a peer or gateway that answers from another MAC address is told; a bystander is not', async () => {
  const stand = new TrafficStand();
  stand.network.arp.set(fakeGateway, '02:00:00:00:00:01');
  stand.network.arp.set('192.168.0.99', '02:00:00:00:00:99');
  stand.network.change();
  stand.receive('192.168.0.17');
  stand.receive('192.168.0.17', { mac: '02:00:00:00:06:66', port: 23 });
  stand.network.arp.set(fakeGateway, '02:00:00:00:06:66');
  stand.network.arp.set('192.168.0.99', '02:00:00:00:06:66');
  stand.network.change();
  assert.deepEqual(
    stand.told
      .filter((record) => record.event === 'peer-mac')
      .map(({ peer, role, before, now }) => [peer, role, before, now]),
    [
      ['192.168.0.17', 'peer', neighbourMac, '02:00:00:00:06:66'],
      [fakeGateway, 'gateway', '02:00:00:00:00:01', '02:00:00:00:06:66'],
    ],
  );
  await stand.step();
  assert.equal(stand.takeRecord().peers.find(({ address }) => address === '192.168.0.17')?.mac, '02:00:00:00:06:66');
});

test('SG4: a storm of changes is bounded, and what was not told is counted', async () => {
  const stand = new TrafficStand();
  for (let change = 0; change < 500; change++) {
    stand.network.servers = [`10.0.${change >> 8}.${change & 255}`];
    stand.network.change();
  }
  assert.ok(stand.told.length <= 200);
  await stand.step(31);
  assert.partialDeepStrictEqual(
    stand.told.filter((record) => record.event === 'lost'),
    [{ count: 505 - 200 }],
  );
});

test('SG4: a kernel that refuses to tell is said once, and what was known before stays', async () => {
  const stand = new TrafficStand();
  stand.network.refusal = new SystemError('EMFILE', 'socket');
  await stand.step(3);
  stand.receive('192.168.0.17');
  stand.network.refusal = undefined;
  await stand.step();
  assert.deepEqual(
    stand.told.map((record) => ('message' in record ? record.message : record.event)),
    ['changes of the surroundings (socket: EMFILE)', 'lan-access'],
  );
});
