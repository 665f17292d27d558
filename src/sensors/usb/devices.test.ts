import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SensorRecord } from '../../core/record.ts';
import { FakeSysfs } from '../../testing/fake-sysfs.ts';
import { keyboard, stick, usbDescriptors } from '../../testing/usb-fixtures.ts';
import { UsbDevices } from './devices.ts';
import { risksOf } from './risks.ts';

class Bus implements Disposable {
  readonly sysfs = new FakeSysfs();
  readonly records: SensorRecord[] = [];
  isKnown = false;
  readonly devices = new UsbDevices({
    sysfs: this.sysfs.root,
    isKnown: () => this.isKnown,
    record: (record) => this.records.push(record),
  });

  hear(action: 'add' | 'remove', port: string, number: number): void {
    const variables = new Map([
      ['DEVTYPE', 'usb_device'],
      ['DEVNUM', String(number)],
      ['PRODUCT', '781/5567/100'],
    ]);
    this.devices.hear({ action, path: this.sysfs.pathOf(port), subsystem: 'usb', variables });
  }

  get events(): readonly string[] {
    return this.records.map(({ event }) => event);
  }

  [Symbol.dispose](): void {
    this.sysfs[Symbol.dispose]();
  }
}

test('MU40: the end of an earlier device at a port does not end the one that is there', () => {
  using bus = new Bus();
  const first = bus.sysfs.plug('2-1', stick);
  bus.sysfs.unplug('2-1');
  const second = bus.sysfs.plug('2-1', stick);
  bus.devices.look('usb-present');
  bus.hear('remove', '2-1', first);
  assert.deepEqual(bus.events, ['usb-present']);
  bus.sysfs.unplug('2-1');
  bus.hear('remove', '2-1', second);
  assert.deepEqual(bus.events, ['usb-present', 'usb-removed']);
});

test('MU40: a removal with another number removes a device that is gone', () => {
  using bus = new Bus();
  const number = bus.sysfs.plug('2-1', stick);
  bus.devices.look('usb-present');
  bus.sysfs.unplug('2-1');
  bus.hear('remove', '2-1', number + 7);
  assert.deepEqual(bus.events, ['usb-present', 'usb-removed']);
});

test('MU41: two keyboards that are there at the start are no notice, a third that is plugged in is one', () => {
  using bus = new Bus();
  bus.sysfs.plug('2-1', keyboard);
  bus.sysfs.plug('2-2', keyboard);
  bus.devices.look('usb-present');
  assert.deepEqual(bus.events, ['usb-present', 'usb-present']);
  bus.hear('add', '2-3', bus.sysfs.plug('2-3', keyboard));
  assert.deepEqual(bus.events.slice(2), ['usb-connected', 'usb-notice']);
});

test('MU42: a mouse with the boot protocol is no keyboard, alone or with storage', () => {
  // usb.org, HID 1.11 section 4.3: protocol 1 is a keyboard, 2 a mouse.
  assert.deepEqual(risksOf(['030101']), ['keyboard']);
  assert.deepEqual(risksOf(['030102']), ['other']);
  using bus = new Bus();
  const mouse = { ...stick, descriptors: usbDescriptors('080650', '030102') };
  bus.hear('add', '2-1', bus.sysfs.plug('2-1', mouse));
  assert.deepEqual(bus.events, ['usb-connected']);
});

test('SG6: a device with the serial number of a known one that is plugged in is not known; one that takes its place is', () => {
  using bus = new Bus();
  bus.isKnown = true;
  const known = (): readonly boolean[] => bus.records.map((record) => 'isKnown' in record);
  const first = bus.sysfs.plug('2-1', stick);
  bus.devices.look('usb-present');
  const second = bus.sysfs.plug('2-2', stick);
  bus.hear('add', '2-2', second);
  assert.deepEqual(known(), [true, false]);
  bus.sysfs.unplug('2-1');
  bus.hear('remove', '2-1', first);
  bus.sysfs.unplug('2-2');
  bus.hear('remove', '2-2', second);
  bus.hear('add', '2-3', bus.sysfs.plug('2-3', stick));
  assert.deepEqual(known().slice(2), [false, true, true]);
});
