import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Peer } from '../core/record.ts';
import { widthOf } from './text.ts';
import { trafficLines, type TrafficPicture } from './traffic-view.ts';

const peers = Array.from({ length: 50 }, (_, index): Peer => {
  return {
    interface: 'eth0',
    address: `2001:db8:85a3:8d3:1319:8a2e:370:${7000 + index}`,
    class: 'internet',
    names: [{ name: `${'long'.repeat(20)}.example`, source: 'dns 10.20.0.1' }],
    total: [1, 1],
    wire: [1e9, 2e9],
    rate2: [125, 1e6],
    rate10: [1, 1],
    rate40: [1, 1],
  };
});
const picture: TrafficPicture = {
  interfaces: ['eth0', 'wlan0', 'usb0', 'tun0'].map((name) => ({
    name,
    addresses: ['192.168.100.200'],
    mac: '02:00:00:00:00:01',
  })),
  peers,
  first: 3,
  all: { peers: 53, wire: [1e9, 1e9], rate2: [1, 1], rate10: [1, 1], rate40: [1, 1] },
  notices: Array.from({ length: 9 }, (_, index) => ({
    text: `notice ${index} ${'x'.repeat(300)}`,
    isAlarm: index === 8,
  })),
  order: 'in the last 2 s',
  unit: 'bits',
  state: 'frozen, only "seat"',
};
const plain = (_style: unknown, text: string): string => text;

test('SG14: the table fits every size from 60 x 20, with the numbers of now and the sum, and the last notice', () => {
  for (let columns = 60; columns <= 200; columns++)
    for (const rows of [20, 24, 29, 30, 40, 60]) {
      const lines = trafficLines(picture, { columns, rows }, plain);
      assert.ok(lines.length <= rows, `${columns} x ${rows}: ${lines.length} lines`);
      for (const line of lines) assert.ok(widthOf(line) <= columns, `${columns} x ${rows}: ${line}`);
      const title = lines.find((line) => line.startsWith('#')) ?? '';
      assert.match(title, /last 2 s .* cumulative$|last 2 s cumulative$/, `${columns} x ${rows}`);
      assert.match(lines.at(-1) ?? '', /^notice 8/);
      assert.ok(lines.some((line) => line.includes('q ends, ? keys; frozen')));
      assert.ok(
        lines.some((line) => line.includes('2.00 GB')),
        'the sum of a peer is there',
      );
    }
});

test('SG14: numbers go on where the table was scrolled, and help and services take their place', () => {
  const size = { columns: 100, rows: 20 };
  const lines = trafficLines(picture, size, plain);
  assert.ok(lines.some((line) => line.startsWith('   4 ')));
  assert.ok(
    lines.some((line) => line.includes('53 peers, 4 to 9 shown')),
    lines.join('\n'),
  );
  const help = trafficLines({ ...picture, help: ['q ends it'] }, size, plain);
  assert.ok(help.includes('q ends it'));
  const services = trafficLines({ ...picture, servicesOf: () => ['tcp 443', '< udp 53'] }, size, plain);
  assert.ok(services.some((line) => line.includes('tcp 443 < udp 53')));
  const bytes = trafficLines({ ...picture, unit: 'bytes' }, size, plain);
  assert.ok(bytes.some((line) => line.includes('1.00 MB/s')));
});
