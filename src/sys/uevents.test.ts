import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { timed } from '../testing/lateness.ts';
import { readUevent, type Uevent } from './uevent.ts';
import { hearsOfDevices, receiveUevents } from './uevents.ts';

const trigger = '/sys/block/loop0/uevent';

/** Why the kernel cannot be asked for an event here, or false. */
function missing(): string | false {
  if (process.getuid?.() !== 0) return 'asking the kernel for an event needs root';
  return hearsOfDevices() ? false : 'the kernel tells this container of no devices';
}

test("E2: the kernel's own event of a device arrives within a second", { skip: missing() }, async () => {
  const heard: Uevent[] = [];
  using _listening = receiveUevents({
    onMessage(message) {
      const uevent = readUevent(message);
      if (uevent?.path.endsWith('/loop0')) heard.push(uevent);
    },
    onLost: () => {},
    onForged: () => {},
  });
  // The kernel gives the events that are asked for a mark (Documentation/ABI/testing/sysfs-uevent), so that we know ours.
  const mark = 'fe4d7c9d-b8c6-4a70-9ef1-3d8a58d18eed';
  const { value: uevent, lateMs } = await timed(() => {
    writeFileSync(trigger, `add ${mark}`);
    return eventually('the event', () => heard.find(({ variables }) => variables.get('SYNTH_UUID') === mark));
  });
  assert.ok(lateMs < 1000, `${lateMs} ms`);
  assert.deepEqual([uevent.action, uevent.subsystem], ['add', 'block']);
});
