import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SensorRecord } from '../../core/record.ts';
import { sensorRecord } from '../../core/record.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { FakeSysfs } from '../../testing/fake-sysfs.ts';
import { UeventMachine, ueventMachineMissing } from '../../testing/uevent-machine.ts';
import { keyboard, stick, usbDescriptors } from '../../testing/usb-fixtures.ts';
import type { Uevent } from '../../testing/uevent-injection.ts';
import { noticeOf } from '../../records/record-text.ts';
import { usbSensor } from './usb.ts';

const skip = ueventMachineMissing();

function deviceEvent(sysfs: FakeSysfs, action: 'add' | 'remove', [port, number]: readonly [string, number]): Uevent {
  return {
    ACTION: action,
    DEVPATH: sysfs.pathOf(port),
    SUBSYSTEM: 'usb',
    DEVTYPE: 'usb_device',
    PRODUCT: '781/5567/100',
    BUSNUM: '002',
    DEVNUM: String(number).padStart(3, '0'),
  };
}

function functionEvent(path: string, subsystem: string, action = 'add'): Uevent {
  return { ACTION: action, DEVPATH: path, SUBSYSTEM: subsystem };
}

function eventsOf(records: readonly SensorRecord[]): string[] {
  return records.map(({ event }) => event);
}

/** Ports of the devices that should be there, after all that was recorded. */
function portsAfter(records: readonly SensorRecord[]): Set<string> {
  const ports = new Set<string>();
  for (const record of records) {
    if (record.event === 'usb-present' || record.event === 'usb-connected') ports.add(record.device.port);
    if (record.event === 'usb-removed') assert.ok(ports.delete(record.device.port), 'only what was there is removed');
  }
  return ports;
}

function assertValid(records: readonly SensorRecord[]): void {
  for (const record of records) {
    const { success, error } = sensorRecord.safeParse(record);
    assert.ok(success, String(error));
    for (const text of Object.values('device' in record ? record.device : record))
      assert.doesNotMatch(String(text), /\p{Cc}/u);
  }
}

describe('on a machine with devices', { skip, concurrency: true }, () => {
  test('E2: a stick that is plugged in and removed is recorded with what it is and what it became', async () => {
    using sysfs = new FakeSysfs();
    await using machine = new UeventMachine(sysfs.root);
    await machine.ready();
    const plugged = ['2-1', sysfs.plug('2-1', stick)] as const;
    await machine.inject(deviceEvent(sysfs, 'add', plugged));
    const path = sysfs.provide('2-1', ['block', 'host0/target0/block/sdb'], { size: '15633408\n' });
    await machine.inject(functionEvent(path, 'block'));
    sysfs.unplug('2-1');
    await machine.inject(functionEvent(path, 'block', 'remove'), deviceEvent(sysfs, 'remove', plugged));
    await machine.until('its removal', (records) => eventsOf(records).includes('usb-removed'));

    const device = {
      port: '2-1',
      vendorId: '0781',
      productId: '5567',
      manufacturer: 'SanDisk',
      product: 'Cruzer Blade',
      serial: '4C530001',
      version: '0100',
      speedMbit: 480,
      interfaces: ['080650'],
      risks: ['storage'],
      descriptorHash: '777d2cce63a047577d93f42bfa6df73b2635e92899b2c314cfa382a315a7061e',
    };
    assert.deepEqual(machine.records, [
      { event: 'usb-connected', device },
      { event: 'usb-function', port: '2-1', subsystem: 'block', name: 'sdb', bytes: 8_004_304_896 },
      { event: 'usb-removed', device },
    ]);
    assertValid(machine.records);
  });

  test('what is there at the start is present, with what became of it; a root hub is part of the machine', async () => {
    using sysfs = new FakeSysfs();
    sysfs.plug('2-1', keyboard);
    sysfs.provide('2-1', ['input', 'input/input5/event3'], {});
    sysfs.provide('2-1', ['input', 'input/input5/mouse0'], {});
    await using machine = new UeventMachine(sysfs.root);
    await machine.ready();
    await machine.until('both', (records) => records.length >= 2);
    assert.deepEqual(eventsOf(machine.records), ['usb-present', 'usb-function']);
  });

  test('E2: storage and keyboard in one device raise an alarm at once', async () => {
    using sysfs = new FakeSysfs();
    await using machine = new UeventMachine(sysfs.root);
    await machine.ready();
    const composite = { ...stick, descriptors: usbDescriptors('080650', '030101') };
    await machine.inject(deviceEvent(sysfs, 'add', ['2-1', sysfs.plug('2-1', composite)]));
    await machine.until('an alarm', (records) => eventsOf(records).includes('usb-alarm'));
    assert.deepEqual(eventsOf(machine.records), ['usb-connected', 'usb-alarm']);
  });

  test('a stick that hides its keyboard is known by the keys it has', async () => {
    using sysfs = new FakeSysfs();
    await using machine = new UeventMachine(sysfs.root);
    await machine.ready();
    const hiding = { ...stick, descriptors: usbDescriptors('080650', '030000') };
    await machine.inject(deviceEvent(sysfs, 'add', ['2-1', sysfs.plug('2-1', hiding)]));
    sysfs.provide('2-1', ['input', 'input/input5/capabilities'], {
      key: '1000000000007 ff9f207ac14057ff fffffffffffffffe\n',
    });
    await machine.inject(functionEvent(sysfs.provide('2-1', ['input', 'input/input5/event3']), 'input'));
    await machine.until('an alarm', (records) => eventsOf(records).includes('usb-alarm'));
    const alarm = machine.records.at(-1);
    assert.deepEqual(alarm && 'device' in alarm ? alarm.device.risks : [], ['storage', 'keyboard', 'other']);
  });

  test('a second keyboard is a notice, the first is none', async () => {
    using sysfs = new FakeSysfs();
    await using machine = new UeventMachine(sysfs.root);
    await machine.ready();
    await machine.inject(deviceEvent(sysfs, 'add', ['2-1', sysfs.plug('2-1', keyboard)]));
    await machine.inject(deviceEvent(sysfs, 'add', ['2-2.1', sysfs.plug('2-2.1', keyboard)]));
    await machine.until('a notice', (records) => eventsOf(records).includes('usb-notice'));
    assert.deepEqual(eventsOf(machine.records), ['usb-connected', 'usb-connected', 'usb-notice']);
  });

  test('another device in the same port is another device, also where the events come late', async () => {
    using sysfs = new FakeSysfs();
    await using machine = new UeventMachine(sysfs.root);
    await machine.ready();
    const first = ['2-1', sysfs.plug('2-1', stick)] as const;
    sysfs.unplug('2-1');
    const second = ['2-1', sysfs.plug('2-1', keyboard)] as const;
    const events = [
      deviceEvent(sysfs, 'add', first),
      deviceEvent(sysfs, 'remove', first),
      deviceEvent(sysfs, 'add', second),
    ];
    await machine.inject(...events);
    await machine.until('three records', (records) => records.length >= 3);
    const [gone, , there] = machine.records;
    assert.deepEqual(eventsOf(machine.records), ['usb-connected', 'usb-removed', 'usb-connected']);
    // What is in sysfs now is not what the first event was about.
    assert.ok(gone && 'device' in gone && gone.device.product === undefined && gone.device.productId === '5567');
    assert.ok(there && 'device' in there && there.device.product === 'USB Keyboard');
  });

  test('a device that is gone before it is read, or that tells half, is recorded with what is known', async () => {
    using sysfs = new FakeSysfs();
    await using machine = new UeventMachine(sysfs.root);
    await machine.ready();
    await machine.inject(deviceEvent(sysfs, 'add', ['2-1', 9]), deviceEvent(sysfs, 'remove', ['2-1', 9]));
    const half = {
      idVendor: '0781',
      idProduct: '5567',
      descriptors: usbDescriptors('080650', '030101').subarray(0, 40),
    };
    await machine.inject(deviceEvent(sysfs, 'add', ['2-2', sysfs.plug('2-2', half)]));
    await machine.until('three records', (records) => records.length >= 3);
    assert.deepEqual(eventsOf(machine.records), ['usb-connected', 'usb-removed', 'usb-connected']);
    assertValid(machine.records);
  });

  test('whatever bytes a device has for a name, the record is printable and of limited length', async () => {
    using sysfs = new FakeSysfs();
    await using machine = new UeventMachine(sysfs.root);
    await machine.ready();
    const hostile = {
      ...stick,
      manufacturer: '\u001b[2J<script>alert(1)</script>\r\n',
      product: Buffer.from('ff41c328e2802eF09f9280', 'hex'),
      serial: Buffer.alloc(5000, 0xfe),
      speed: 'unknown\n',
      idProduct: '\u0000\u0000\n',
    };
    await machine.inject(deviceEvent(sysfs, 'add', ['2-1', sysfs.plug('2-1', hostile)]));
    await machine.until('a record', (records) => records.length > 0);
    const [record] = machine.records;
    assert.ok(record?.event === 'usb-connected');
    assert.equal(record.device.manufacturer, String.raw`\x1b[2J<script>alert(1)</script>\r`);
    assert.equal(record.device.product, String.raw`\xffA\xc3(\xe2\x80.💀`);
    assert.equal(record.device.serial?.length, 300);
    assertValid(machine.records);
  });

  test('forged events are ignored, counted and said', async () => {
    using sysfs = new FakeSysfs();
    await using machine = new UeventMachine(sysfs.root);
    await machine.ready();
    const plugged = deviceEvent(sysfs, 'add', ['2-1', sysfs.plug('2-1', stick)]);
    await machine.forge(plugged, plugged, plugged);
    await machine.stop();
    await machine.until('what was forged', (records) => records.length > 0);
    assert.deepEqual(
      machine.records.map((record) => [record.event, 'count' in record && record.count]),
      [['forged', 3]],
    );
  });

  test('a storm of 5,000 events that is more than the socket holds: what is there in the end is known, and the loss is said', async () => {
    using sysfs = new FakeSysfs();
    await using machine = new UeventMachine(sysfs.root);
    await machine.ready();
    const storm: Uevent[] = [];
    const there = new Map<string, number>();
    for (let index = 0; index < 5000; index++) {
      const port = `2-${(index * 7) % 101}`;
      const number = there.get(port);
      if (number === undefined) there.set(port, index);
      else there.delete(port);
      const event = deviceEvent(sysfs, number === undefined ? 'add' : 'remove', [port, number ?? index]);
      // As long as the kernel lets events be, so that the socket has no room for all.
      storm.push({ ...event, MODALIAS: 'x'.repeat(1500) });
    }
    for (const [port, number] of there) sysfs.plug(port, { ...stick, devnum: `${number}\n` });
    sysfs.plug('2-200', keyboard);
    await machine.inject(...storm);
    await machine.until('a look around', (records) => eventsOf(records).includes('lost'));
    await machine.until('what is there', (records) => portsAfter(records).has('2-200'));
    assert.deepEqual(portsAfter(machine.records), new Set([...there.keys(), '2-200']));
    assertValid(machine.records);
  });

  test('where the kernel tells nothing, the sensor says so and looks every 5 s', async () => {
    using sysfs = new FakeSysfs();
    await using machine = new UeventMachine(sysfs.root);
    await machine.ready();
    assert.equal(machine.states[0]?.state, 'limited');
    assert.match(machine.states[0]?.message ?? '', /container with users of its own.*every 5 s/);
    sysfs.plug('2-1', stick);
    await machine.until('the stick', (records) => eventsOf(records).includes('usb-connected'));
    sysfs.unplug('2-1');
    await machine.until('its removal', (records) => eventsOf(records).includes('usb-removed'));
  });
});

test('without sysfs the sensor is limited, says what that costs, and ends without a timer', async () => {
  const clock = new FakeClock();
  const states: string[] = [];
  const sensor = await usbSensor('/nonexistent').start(
    { known: [] },
    { clock, record: () => {}, onState: ({ state, message }) => states.push(`${state}: ${message}`) },
  );
  await clock.advance(20_000);
  await sensor.stop();
  assert.match(states.join('\n'), /^limited: there is no \/nonexistent\/bus/);
  assert.equal(clock.pending, 0);
});

for (const [known, isKnown] of [
  [[], false],
  [['0781:5567'], true],
  [['0781:5567/4C53'], true],
  [['0781:5567/4c53@2-1'], true],
  [['0781:5567/OTHER'], false],
  [['0781:5567@2-2'], false],
  [['0781:5568', '046d:c31c'], false],
] as const)
  test(`SG6: with ${known.join() || 'nothing'} known, a stick that is there at the start is ${isKnown ? 'of the machine' : 'news'}`, async () => {
    using sysfs = new FakeSysfs();
    sysfs.plug('2-1', { ...stick, serial: '4C53\n' });
    const records: SensorRecord[] = [];
    const context = {
      clock: new FakeClock(),
      record: (record: SensorRecord) => void records.push(record),
      onState: () => {},
    };
    const options = usbSensor(sysfs.root).options.parse({ known });
    const sensor = await usbSensor(sysfs.root).start(options, context);
    await sensor.stop();
    const [present] = records;
    assert.ok(present?.event === 'usb-present');
    assert.equal(present.isKnown ?? false, isKnown);
    const notice = noticeOf(present, { machine: 'seat-17', sensor: 'usb' });
    if (isKnown) assert.equal(notice, undefined);
    else assert.match(notice ?? '', /^usb device present at the start on seat-17: .*serial 4C53, port 2-1, storage$/);
  });

test('SG6: a keyboard that is there at the start is no news', () => {
  const device = {
    port: '1-1',
    vendorId: '046d',
    productId: 'c31c',
    interfaces: ['030101'],
    risks: ['keyboard' as const],
  };
  assert.equal(noticeOf({ event: 'usb-present', device }, { machine: 'seat-17', sensor: 'usb' }), undefined);
});

test('SG6: a known device that is written otherwise is a mistake that says how', () => {
  const { error } = usbSensor('/sys').options.safeParse({ known: ['0781-5567'] });
  assert.match(String(error), /expected VENDOR:PRODUCT, with \/SERIAL and @PORT/);
});
