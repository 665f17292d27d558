import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readUevent } from './uevent.ts';

const path = '/devices/pci0000:00/0000:00:14.0/usb1/1-2';
const message = (...parts: readonly string[]): Buffer => Buffer.from(`${parts.join('\0')}\0`);

test('a uevent is read with its variables', () => {
  const uevent = readUevent(
    message(`add@${path}`, 'ACTION=add', `DEVPATH=${path}`, 'SUBSYSTEM=usb', 'NAME="a=é"', 'SEQNUM=7'),
  );
  assert.deepEqual([uevent?.action, uevent?.path, uevent?.subsystem], ['add', path, 'usb']);
  assert.equal(uevent?.variables.get('NAME'), '"a=é"');
});

const refused: readonly (readonly [why: string, parts: readonly string[]])[] = [
  ['of udevd', ['libudev', 'ACTION=add', `DEVPATH=${path}`]],
  ['whose header says something else', [`add@${path}`, 'ACTION=remove', `DEVPATH=${path}`]],
  ['without a path', ['add@', 'ACTION=add']],
  ['that leads out of /sys', ['add@/devices/../../etc', 'ACTION=add', 'DEVPATH=/devices/../../etc']],
  ['that is empty', ['']],
];

for (const [why, parts] of refused)
  test(`a message ${why} is no uevent`, () => assert.equal(readUevent(message(...parts)), undefined));

test('any bytes are read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      const prefix = message(`add@${path}`, 'ACTION=add', `DEVPATH=${path}`);
      readUevent(Buffer.from(bytes));
      assert.ok((readUevent(Buffer.concat([prefix, bytes]))?.variables.size ?? 0) <= 100);
    }),
  );
});
