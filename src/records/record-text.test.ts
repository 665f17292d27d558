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
    'local network accessed: tcp 192.168.0.17:22, out, eth0',
    'Network has been accessed by 192.168.0.133: tcp 192.168.0.17:22, out, eth0',
  ],
  [
    { event: 'lan-access', ...contact, direction: 'in' },
    'local network accessed: tcp 192.168.0.17, in to port 22, eth0',
    'Network has been accessed by 192.168.0.133: tcp 192.168.0.17, in to port 22, eth0',
  ],
  [
    { event: 'forbidden-peer', ...contact, peer: '2001:db8::1', name: 'a.example', mac: '02:00:00:00:00:01' },
    'ALARM forbidden peer: tcp [2001:db8::1]:22, out, eth0, a.example, mac 02:00:00:00:00:01',
    'ALARM forbidden peer of 192.168.0.133: tcp [2001:db8::1]:22, out, eth0, a.example, mac 02:00:00:00:00:01',
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

for (const [record, line, notice] of cases)
  test(`E2: a record reads as "${line}"`, () => {
    assert.equal(recordText(record, 'traffic'), line);
    assert.equal(noticeOf(record, { machine: '192.168.0.133', sensor: 'traffic' }), notice);
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
