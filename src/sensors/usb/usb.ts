import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Cancel } from '../../core/clock.ts';
import type { RunningSensor, SensorContext, SensorState, SensorType } from '../../core/sensor.ts';
import { readUevent } from '../../sys/uevent.ts';
import { hearsOfDevices, receiveUevents, type UeventReceiver } from '../../sys/uevents.ts';
import { UsbDevices } from './devices.ts';
import { knownBy, knownDevices } from '../../core/known-devices.ts';

const options = z.strictObject({ known: knownDevices });
type UsbOptions = z.output<typeof options>;

/** Interval of scans where the kernel sends no events; a device that is gone sooner is not seen. */
const lookEveryMs = 5000;
/** Forged events are reported at most once in this time. */
const forgedEveryMs = 10_000;

/** The sensor, reading sysfs at this place. */
export function usbSensor(sysfs: string): SensorType<typeof options> {
  return {
    type: 'usb',
    title: 'USB devices',
    summary: 'Which USB devices are plugged in and removed: maker, model, serial number, port, and what they are for.',
    classOfData: 'devices',
    options,
    start: (given, context) => Promise.resolve(new UsbWatch(sysfs, given, context)),
  };
}

export const usb = usbSensor('/sys');

class UsbWatch implements RunningSensor, UeventReceiver {
  readonly #context: SensorContext;
  readonly #devices: UsbDevices;
  readonly #uevents: Disposable | undefined;
  #cancelLook: Cancel = () => {};
  #cancelForged: Cancel | undefined;
  #forged = 0;

  constructor(sysfs: string, { known }: UsbOptions, context: SensorContext) {
    this.#context = context;
    this.#devices = new UsbDevices({ sysfs, isKnown: knownBy(known), record: context.record });
    const trouble = [ueventTrouble(), sysfsTrouble(sysfs)].filter((text) => text !== undefined);
    try {
      // Watched before the first scan, so that nothing between the two is missed.
      this.#uevents = receiveUevents(this);
    } catch (error) {
      trouble.push(`no netlink socket (${String(error)}): ${lookingInstead}`);
    }
    context.onState(stateOf(trouble));
    this.#devices.look('usb-present');
    if (trouble.length > 0) this.#lookRegularly();
  }

  onMessage(message: Buffer): void {
    const uevent = readUevent(message);
    if (uevent) this.#devices.hear(uevent);
  }

  onLost(): void {
    this.#devices.look('usb-connected');
    const message = 'the kernel had more device events than there was room for; what has changed was looked up';
    this.#context.record({ event: 'lost', message });
  }

  onForged(): void {
    this.#forged++;
    this.#cancelForged ??= this.#context.clock.after(forgedEveryMs, () => this.#sayForged());
  }

  stop(): Promise<void> {
    this.#uevents?.[Symbol.dispose]();
    this.#cancelLook();
    this.#sayForged();
    return Promise.resolve();
  }

  #lookRegularly(): void {
    this.#cancelLook = this.#context.clock.after(lookEveryMs, () => {
      this.#devices.look('usb-connected');
      this.#lookRegularly();
    });
  }

  #sayForged(): void {
    this.#cancelForged?.();
    this.#cancelForged = undefined;
    if (this.#forged === 0) return;
    const message = 'a program on this machine sends device events that only the kernel may send; they were ignored';
    this.#context.record({ event: 'forged', message, count: this.#forged });
    this.#forged = 0;
  }
}

const lookingInstead = `devices are looked up every ${lookEveryMs / 1000} s, and one that comes and goes between is not seen`;

function ueventTrouble(): string | undefined {
  try {
    if (hearsOfDevices()) return undefined;
  } catch {
    // Opening the socket shows whether it is possible.
    return undefined;
  }
  return `the kernel does not tell a container with users of its own of devices: ${lookingInstead}; run the agent outside`;
}

function sysfsTrouble(sysfs: string): string | undefined {
  if (existsSync(join(sysfs, 'bus'))) return undefined;
  return `there is no ${sysfs}/bus: devices that are there already, and their names, are not seen; mount sysfs there`;
}

function stateOf(trouble: readonly string[]): SensorState {
  if (trouble.length > 0) return { state: 'limited', message: trouble.join('; ') };
  return { state: 'running', message: 'netlink: the kernel tells of devices as they come and go' };
}
