import { systemClock } from '../core/clock.ts';
import { usbSensor } from '../sensors/usb/usb.ts';
import { forgeUevent, injectUevents } from './uevent-injection.ts';
import type { Order, Saying } from './uevent-machine.ts';

/** What UeventMachine runs in namespaces of their own: the USB sensor, and who says events to it. */
const sensor = await usbSensor(process.argv[2] ?? '').start(
  { known: [] },
  { clock: systemClock, record: (record) => say({ record }), onState: (state) => say({ state }) },
);

// Only UeventMachine is at the other end.
process.on('message', (order) => void obey(order as Order));

async function obey(order: Order): Promise<void> {
  if (order.do === 'inject') injectUevents(order.events);
  if (order.do === 'forge') for (const event of order.events) forgeUevent(event);
  if (order.do === 'stop') await sensor.stop();
  say({ done: order.do });
}

function say(saying: Saying): void {
  process.send?.(saying);
}
