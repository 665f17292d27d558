import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SensorRecord, UsbDevice } from '../../core/record.ts';
import type { RoomPolicy } from '../../core/room.ts';
import { SessionJudge } from './session-judge.ts';

const strict: RoomPolicy = { name: 'exam', by: 'Physics', otherDevices: 'alarm', otherPeers: 'alarm', sensors: [] };
const mild: RoomPolicy = { ...strict, otherDevices: 'notice', otherPeers: 'notice' };

function judgeUnder(policy: RoomPolicy | undefined): (record: SensorRecord) => string | undefined {
  const course = { startedAt: 0, startedBy: 'Ada', until: 1000 };
  const session = policy && { id: 's1', roomId: 'lab', room: 'lab', policy, seats: [], patterns: [], ...course };
  const judge = new SessionJudge(() => session);
  return (record) => judge.judge({ agentId: 'agent-1', record, at: 5 }).severity;
}

function device(risks: UsbDevice['risks'], port = '2-1'): UsbDevice {
  return { port, vendorId: '0781', productId: '5567', interfaces: [], risks };
}

function mountOf(kind: 'usb' | 'network', usbPort?: string): SensorRecord {
  const at = { device: '/dev/sda1', mountpoint: '/mnt', fstype: 'vfat', options: 'rw' };
  return { event: 'mounted', mount: { ...at, kind, ...(usbPort && { usbPort }) } };
}

const stick: SensorRecord = { event: 'usb-connected', device: device(['storage']) };
const routed = { event: 'surroundings', kind: 'default-route', value: 'via 192.168.43.1' } as const;

for (const [what, record, severities] of [
  ['a stick that is plugged in', stick, ['alarm', 'notice', 'notice']],
  ['a tether', { event: 'usb-connected', device: device(['network']) }, ['alarm', 'notice', 'notice']],
  ['a mouse', { event: 'usb-connected', device: device(['other']) }, ['notice', 'notice', 'notice']],
  [
    'a card reader that was there at the start',
    { event: 'usb-present', device: device(['storage']) },
    ['notice', 'notice', 'notice'],
  ],
  ['a stick that is mounted', mountOf('usb', '2-1'), ['alarm', 'notice', 'notice']],
  ['a network share that is mounted', mountOf('network'), ['notice', 'notice', 'notice']],
  ['another way to the internet', { ...routed, change: 'changed' }, ['alarm', 'notice', 'notice']],
  ['the usual way at the start', { ...routed, change: 'present' }, ['notice', 'notice', 'notice']],
  [
    'one device that is storage and keyboard',
    { event: 'usb-alarm', device: device(['storage', 'keyboard']), why: 'both' },
    ['alarm', 'alarm', 'alarm'],
  ],
] as const satisfies readonly (readonly [string, SensorRecord, readonly string[]])[])
  test(`${what} is as grave as the policy says`, () => {
    assert.deepEqual(
      [strict, mild, undefined].map((policy) => judgeUnder(policy)(record)),
      severities,
    );
  });

test('an allowed device that is mounted is told to nobody, and the next one in its port is', () => {
  const judge = judgeUnder(strict);
  judge({ event: 'usb-connected', device: device(['storage']), isKnown: true });
  assert.equal(judge(mountOf('usb', '2-1')), undefined);
  assert.equal(judge(mountOf('usb', '2-2')), 'alarm');
  judge({ event: 'usb-removed', device: device(['storage']), isKnown: true });
  judge(stick);
  assert.equal(judge(mountOf('usb', '2-1')), 'alarm');
});
