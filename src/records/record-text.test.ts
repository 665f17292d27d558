import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Mount, SensorRecord, UsbDevice } from '../core/record.ts';
import { noticeOf, recordText } from './record-text.ts';

const stick: UsbDevice = {
  port: '2-1',
  vendorId: '0781',
  productId: '5567',
  manufacturer: 'SanDisk',
  product: 'Cruzer Blade',
  serial: '4C530001',
  interfaces: ['080650'],
  risks: ['storage'],
};
const mount: Mount = {
  device: '/dev/sdb1',
  mountpoint: '/media/x',
  fstype: 'vfat',
  options: 'rw,nosuid',
  kind: 'usb',
  usbPort: '2-1',
};
const contact = {
  interface: 'eth0',
  peer: '192.168.0.17',
  class: 'intranet',
  direction: 'out',
  protocol: 'tcp',
  port: 22,
} as const;
const identity = 'SanDisk Cruzer Blade (0781:5567), serial 4C530001, port 2-1, storage';
const mountLine = 'device=/dev/sdb1, mountpoint=/media/x, fstype=vfat, opts=rw,nosuid, kind=usb, port=2-1';

const cases: readonly (readonly [SensorRecord, line: string, notice: string | undefined])[] = [
  [
    { event: 'usb-present', device: stick },
    `usb device present: ${identity}`,
    `usb device present at the start on 192.168.0.133: ${identity}`,
  ],
  [
    { event: 'usb-connected', device: stick },
    `usb device connected: ${identity}`,
    `usb device connected by 192.168.0.133: ${identity}`,
  ],
  [
    { event: 'usb-removed', device: stick },
    `usb device removed: ${identity}`,
    `usb device removed by 192.168.0.133: ${identity}`,
  ],
  [
    { event: 'usb-connected', device: { port: '1-1', vendorId: '1234', productId: '0001', interfaces: [], risks: [] } },
    'usb device connected: unnamed (1234:0001), port 1-1',
    'usb device connected by 192.168.0.133: unnamed (1234:0001), port 1-1',
  ],
  [
    { event: 'usb-alarm', device: stick, why: 'storage and keyboard in one device' },
    `ALARM usb device: storage and keyboard in one device: ${identity}`,
    `ALARM usb device of 192.168.0.133: storage and keyboard in one device: ${identity}`,
  ],
  [
    { event: 'usb-function', port: '2-1', subsystem: 'block', name: 'sdb', bytes: 8_004_304_896 },
    'usb device provides: block sdb, 8004304896 bytes, port 2-1',
    undefined,
  ],
  [{ event: 'mount-present', mount }, `mount present: ${mountLine}`, undefined],
  [{ event: 'mounted', mount }, `mounted: ${mountLine}`, `mounted by 192.168.0.133: ${mountLine}`],
  [{ event: 'unmounted', mount }, `unmounted: ${mountLine}`, `unmounted by 192.168.0.133: ${mountLine}`],
  [
    { event: 'lan-access', ...contact },
    'this machine contacted 192.168.0.17 on TCP port 22 (SSH); eth0',
    'seat-1 contacted seat-17 on TCP port 22 (SSH)',
  ],
  [
    { event: 'lan-access', ...contact, direction: 'in', port: 40_000 },
    '192.168.0.17 contacted this machine on TCP port 40000; eth0',
    'seat-17 contacted seat-1 on TCP port 40000',
  ],
  [
    { event: 'lan-access', ...contact, direction: 'unknown' },
    'packets on TCP port 22 (SSH) passed between this machine and 192.168.0.17; who began was not seen; eth0',
    'packets on TCP port 22 (SSH) passed between seat-1 and seat-17; who began was not seen',
  ],
  [
    {
      event: 'lan-access',
      interface: 'eth0',
      peer: '192.168.0.17',
      class: 'intranet',
      direction: 'out',
      protocol: 'icmp',
    },
    'this machine contacted 192.168.0.17 (ICMP echo); eth0',
    'seat-1 contacted seat-17 (ICMP echo)',
  ],
  [
    {
      event: 'forbidden-peer',
      ...contact,
      peer: '2001:db8::1',
      names: [
        { name: 'a.example', source: 'dns 10.20.0.1' },
        { name: 'b.example', source: 'sni' },
      ],
      mac: '02:00:00:00:00:01',
    },
    'ALARM forbidden peer: this machine contacted 2001:db8::1 on TCP port 22 (SSH); eth0, a.example (dns 10.20.0.1), asked for as b.example (sni), mac 02:00:00:00:00:01',
    'ALARM forbidden peer: seat-1 contacted 2001:db8::1 on TCP port 22 (SSH)',
  ],
  [
    {
      event: 'more-contacts',
      of: 'lan-access',
      contacts: [
        { peer: '192.168.0.18', direction: 'out', protocol: 'tcp', port: 445 },
        { peer: '192.168.0.19', direction: 'in', protocol: '47' },
      ],
    },
    '2 more contacts of this machine: to 192.168.0.18 on TCP port 445 (SMB), from 192.168.0.19 (IP protocol 47)',
    undefined,
  ],
  [
    { event: 'contact-volume', interface: 'eth0', peer: '192.168.0.17', class: 'intranet', wire: [12_300_000, 1100] },
    'this machine has sent 12.3 MB to 192.168.0.17 and received 1.10 kB from it; eth0',
    'seat-1 has sent 12.3 MB to seat-17 and received 1.10 kB from it',
  ],
  [
    { event: 'scan', direction: 'out', of: 'hosts', count: 61, examples: ['10.9.0.0', '10.9.0.1'] },
    'ALARM scan: this machine contacted 61 hosts within a minute: 10.9.0.0, 10.9.0.1, …',
    'ALARM scan: seat-1 contacted 61 hosts within a minute: 10.9.0.0, 10.9.0.1, …',
  ],
  [
    { event: 'scan', direction: 'in', of: 'ports', peer: '192.168.0.17', count: 17, examples: ['tcp 1', 'tcp 2'] },
    'ALARM scan: 192.168.0.17 tried 17 ports of this machine: tcp 1, tcp 2, …',
    'ALARM scan: seat-17 tried 17 ports of seat-1: tcp 1, tcp 2, …',
  ],
  [
    { event: 'passed-on', interface: 'usb0', source: '8.8.8.8', destination: '192.168.0.17' },
    'this machine passes on traffic of 8.8.8.8 to 192.168.0.17, out by usb0',
    'seat-1 passes on traffic of 8.8.8.8 to seat-17, out by usb0',
  ],
  [
    { event: 'surroundings', change: 'present', kind: 'default-route', value: 'via 10.0.0.1 on eth0' },
    'this machine has the default route via 10.0.0.1 on eth0',
    undefined,
  ],
  [
    { event: 'surroundings', change: 'appeared', kind: 'interface', interface: 'usb0', value: 'network card' },
    'this machine now has the network interface usb0 (network card)',
    'seat-1 now has the network interface usb0 (network card)',
  ],
  [
    { event: 'surroundings', change: 'gone', kind: 'address', interface: 'usb0', value: '192.168.43.7/24' },
    'this machine no longer has the address 192.168.43.7/24 of usb0',
    'seat-1 no longer has the address 192.168.43.7/24 of usb0',
  ],
  [
    {
      event: 'surroundings',
      change: 'changed',
      kind: 'mac',
      interface: 'eth0',
      value: '02:00:00:00:00:02',
      before: '02:00:00:00:00:01',
    },
    'this machine: the MAC address of eth0 is now 02:00:00:00:00:02, before 02:00:00:00:00:01',
    'seat-1: the MAC address of eth0 is now 02:00:00:00:00:02, before 02:00:00:00:00:01',
  ],
  [
    { event: 'surroundings', change: 'appeared', kind: 'bridge-port', interface: 'eth0', value: 'br0' },
    'this machine now has the bridge br0 of eth0',
    'seat-1 now has the bridge br0 of eth0',
  ],
  [
    {
      event: 'peer-mac',
      interface: 'eth0',
      peer: '192.168.0.1',
      role: 'gateway',
      before: '02:00:00:00:00:01',
      now: '02:00:00:00:00:99',
    },
    'this machine now reaches the gateway 192.168.0.1 at the MAC address 02:00:00:00:00:99, before 02:00:00:00:00:01',
    'seat-1 now reaches the gateway 192.168.0.1 at the MAC address 02:00:00:00:00:99, before 02:00:00:00:00:01',
  ],
  [
    { event: 'sensor-state', state: 'unavailable', message: 'no CAP_NET_RAW' },
    'sensor (traffic): unavailable: no CAP_NET_RAW',
    'sensor of 192.168.0.133 (traffic): unavailable: no CAP_NET_RAW',
  ],
  [{ event: 'sensor-state', state: 'running', message: 'ebpf' }, 'sensor (traffic): running: ebpf', undefined],
  [
    { event: 'lost', message: 'records had no room', count: 7 },
    'lost (traffic): records had no room (7)',
    'lost by 192.168.0.133 (traffic): records had no room (7)',
  ],
  [
    { event: 'clock-jump', byMs: -3_600_000 },
    'clock moved (traffic): by -3600.000 s',
    'clock moved of 192.168.0.133 (traffic): by -3600.000 s',
  ],
];

/** As a server knows its seats. */
function nameOf(address: string): string {
  return address.replace(/^192\.168\.0\.(?=1\d$)/, 'seat-');
}

for (const [record, line, notice] of cases)
  test(`E2: a record reads as "${line}"`, () => {
    assert.equal(recordText(record, 'traffic'), line);
    const isOfNetwork = notice?.includes('seat-') ?? false;
    const machine = isOfNetwork ? 'seat-1' : '192.168.0.133';
    assert.equal(noticeOf(record, { machine, sensor: 'traffic', nameOf }), notice);
  });

/** The text of records as they were written before they had a version. */
const firstCases: readonly (readonly [SensorRecord, line: string])[] = [
  [{ event: 'lan-access', ...contact }, 'local network accessed: tcp 192.168.0.17:22, out, eth0'],
  [
    { event: 'lan-access', ...contact, direction: 'in' },
    'local network accessed: tcp 192.168.0.17, in to port 22, eth0',
  ],
  [
    { event: 'forbidden-peer', ...contact, peer: '2001:db8::1', name: 'a.example', mac: '02:00:00:00:00:01' },
    'ALARM forbidden peer: tcp [2001:db8::1]:22, out, eth0, a.example, mac 02:00:00:00:00:01',
  ],
  [
    { event: 'mounted', mount: { ...mount, mountpoint: '/media/a, b=c' } },
    'mounted: device=/dev/sdb1, mountpoint=/media/a, b=c, fstype=vfat, opts=rw,nosuid, kind=usb, port=2-1',
  ],
];

for (const [record, line] of firstCases)
  test(`SG10: a record of version 1 still reads as "${line}"`, () =>
    assert.equal(recordText(record, 'traffic', 1), line));

const mountCases = [
  ['/media/a b', '"/media/a b"'],
  ['/media/x, fstype=ext4', '"/media/x, fstype=ext4"'],
  ['/media/a=b', '"/media/a=b"'],
  ['/media/"a"', String.raw`"/media/\"a\""`],
  ['', '""'],
  ['/media/plain', '/media/plain'],
] as const;

for (const [mountpoint, shown] of mountCases)
  test(`SG14: a mount point ${shown} is read in one way only`, () => {
    const text = recordText({ event: 'mounted', mount: { ...mount, mountpoint } });
    assert.equal(text, `mounted: ${mountLine.replace('/media/x', () => shown)}`);
  });

test('SG14: options keep their commas, and are quoted where they could end the field', () => {
  for (const [options, shown] of [
    ['rw,uid=1000', / opts=rw,uid=1000, kind=usb/],
    ['rw,label=a, kind=disk', / opts="rw,label=a, kind=disk", kind=usb/],
  ] as const)
    assert.match(recordText({ event: 'mounted', mount: { ...mount, options } }), shown);
});

test('whatever a device calls itself, its text is one printable line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (product) => {
      const record = { event: 'usb-connected', device: { ...stick, product } } as const;
      assert.doesNotMatch(recordText(record), /\p{Cc}|[\u2028-\u202e]/u);
      assert.doesNotMatch(noticeOf(record, { machine: product, sensor: 'usb' }) ?? '', /\p{Cc}|[\u2028-\u202e]/u);
    }),
  );
});
