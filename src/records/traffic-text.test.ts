import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Peer, SensorRecord } from '../core/record.ts';
import { formatBits, formatBytes, trafficText } from './traffic-text.ts';

const web: Peer = {
  interface: 'wlp2s0',
  address: '192.0.2.80',
  class: 'internet',
  name: 'www.example.org',
  total: [32_100, 22_700],
  wire: [32_100, 22_700],
  rate2: [20, 62],
  rate10: [954, 132],
  rate40: [1003, 710],
};
const neighbour: Peer = {
  interface: 'wlp2s0',
  address: '2001:db8:85a3:8d3:1319:8a2e:370:7348',
  class: 'intranet',
  mac: '02:fc:00:00:00:05',
  total: [0, 5e9],
  wire: [0, 5e9],
  rate2: [0, 125e6],
  rate10: [0, 0],
  rate40: [0, 0],
};
const record: Extract<SensorRecord, { event: 'traffic' }> = {
  event: 'traffic',
  seconds: 40.012,
  interfaces: [
    {
      name: 'wlp2s0',
      addresses: ['192.168.0.137', 'fe80::1'],
      mac: '2c:6e:85:00:b6:3a',
      check: { counted: [330, 386], counter: [372, 386] },
    },
    { name: 'tun0', addresses: ['10.8.0.2'] },
  ],
  peers: [web, neighbour, { ...web, interface: 'usb0', name: `${'long'.repeat(20)}.example.org` }],
  others: { peers: 12, wire: [3200, 1000] },
  overflow: [0, 12_345],
};

test('E3: a record of traffic is a table with interface, IP and MAC, the peers, their rates over 2, 10 and 40 s and the cumulative bytes', () => {
  assert.equal(
    trafficText(record),
    `traffic of 40.0 s
Interface: wlp2s0   IP address is: 192.168.0.137, fe80::1   MAC address is: 2c:6e:85:00:b6:3a
counted with link headers: 330 B sent, 386 B received; the interface counted 372 B sent, 386 B received
#    Host name or address                       last 2 s  last 10 s  last 40 s cumulative
   1 www.example.org                       =>    160 b/s  7.63 kb/s  8.02 kb/s    32.1 kB
     192.0.2.80 internet                   <=    496 b/s  1.06 kb/s  5.68 kb/s    22.7 kB
   2 2001:db8:85a3:8d3:1319:8a2e:370:7348  =>      0 b/s      0 b/s      0 b/s        0 B
     intranet 02:fc:00:00:00:05            <=  1.00 Gb/s      0 b/s      0 b/s    5.00 GB
Interface: tun0   IP address is: 10.8.0.2
Interface: usb0
#    Host name or address                                                       last 2 s  last 10 s  last 40 s cumulative
   1 longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglon…  =>    160 b/s  7.63 kb/s  8.02 kb/s    32.1 kB
     192.0.2.80 internet                                                   <=    496 b/s  1.06 kb/s  5.68 kb/s    22.7 kB
and 12 other peers: 3.20 kB sent, 1.00 kB received
of peers beyond those there was room for, since the start: 0 B sent, 12.3 kB received`,
  );
});

test('numbers have three digits, also where rounding makes another', () => {
  const cases = [
    [0, '0 B'],
    [999, '999 B'],
    [999.6, '1.00 kB'],
    [9994, '9.99 kB'],
    [9996, '10.0 kB'],
    [99_960, '100 kB'],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(Number(bytes)), text);
  assert.equal(formatBits(125), '1.00 kb/s');
  assert.equal(formatBytes(Number.MAX_SAFE_INTEGER), '9.01 PB');
});

test('whatever a peer or a device is called, the text has printable lines only, and the same record gives the same text', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 300 });
  fc.assert(
    fc.property(anything, anything, (name, mac) => {
      const odd = {
        ...record,
        peers: [{ ...web, name, mac, interface: name }],
        interfaces: [{ name: mac, addresses: [name] }],
      };
      const text = trafficText(odd);
      // oxlint-disable-next-line no-control-regex -- none of these may be there
      assert.doesNotMatch(text.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
      assert.ok(text.split('\n').length <= 8);
      assert.equal(trafficText(structuredClone(odd)), text);
    }),
    { numRuns: 500 },
  );
});
