import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { SensorRecord, UsbDevice } from '../../core/record.ts';
import type { Uevent } from '../../sys/uevent.ts';
import { announcedDevice, announcedNumber, readDevice, readAttributeNumber, type PluggedDevice } from './device.ts';
import { functionSubsystems, isFunction, readFunction, type FunctionSubsystem } from './function.ts';
import { inOrder } from './risks.ts';

interface KnownDevice {
  readonly plugged: PluggedDevice;
  /** True if it was connected while the sensor ran. */
  readonly isNew: boolean;
  /** Paths of its functions. */
  readonly functions: Set<string>;
  /** Sentences already recorded about it; each is recorded once. */
  readonly said: Set<string>;
}

/** Limit of known devices: a bus has room for 127, and no machine has a hundred buses. */
const maxDevices = 10_000;
const maxFunctions = 256;

interface DevicesPlace {
  /** Where sysfs is: `/sys`. */
  readonly sysfs: string;
  /** It belongs to the machine. */
  readonly isKnown: (device: UsbDevice) => boolean;
  readonly record: (record: SensorRecord) => void;
}

/** The USB devices of a machine with their functions. Root hubs belong to the machine and are left out. */
export class UsbDevices {
  readonly #sysfs: string;
  readonly #isKnown: (device: UsbDevice) => boolean;
  readonly #record: (record: SensorRecord) => void;
  readonly #known = new Map<string, KnownDevice>();

  constructor({ sysfs, isKnown, record }: DevicesPlace) {
    this.#sysfs = sysfs;
    this.#isKnown = isKnown;
    this.#record = record;
  }

  /** Compares the known devices with sysfs and records the difference; the first time all as `usb-present`. */
  look(event: 'usb-present' | 'usb-connected'): void {
    this.#lookForDevices(event);
    this.#lookForFunctions();
  }

  /** Records an event of the kernel. */
  hear(uevent: Uevent): void {
    const { action, path, subsystem, variables } = uevent;
    if (subsystem === 'usb' && variables.get('DEVTYPE') === 'usb_device') this.#hearOfDevice(uevent);
    else if (!isFunction(subsystem, path)) return;
    else if (action === 'add') this.#provide(path, subsystem);
    else if (action === 'remove') this.#above(path)?.functions.delete(path);
  }

  #lookForDevices(event: 'usb-present' | 'usb-connected'): void {
    const paths = new Set(this.#list('bus/usb/devices').filter(isDevicePath));
    for (const known of this.#known.values()) {
      const { path, number } = known.plugged;
      if (!paths.has(path) || readAttributeNumber(this.#sysfs, path) !== number) this.#remove(known);
    }
    for (const path of paths) {
      const plugged = this.#known.has(path) ? undefined : readDevice(this.#sysfs, path);
      if (plugged) this.#add(event, plugged);
    }
  }

  #lookForFunctions(): void {
    const found = functionSubsystems.flatMap((subsystem) =>
      this.#list(`class/${subsystem}`)
        .filter((path) => isFunction(subsystem, path))
        .map((path) => [path, subsystem] as const),
    );
    const paths = new Set(found.map(([path]) => path));
    for (const { functions } of this.#known.values())
      for (const path of functions) if (!paths.has(path)) functions.delete(path);
    for (const [path, subsystem] of found) this.#provide(path, subsystem);
  }

  #hearOfDevice(uevent: Uevent): void {
    const { action, path, variables } = uevent;
    const known = this.#known.get(path);
    const number = announcedNumber(variables);
    if (action === 'add' && isDevicePath(path)) {
      // A scan found it before its event was read.
      if (known && known.plugged.number === number) return;
      if (known) this.#remove(known);
      this.#add('usb-connected', this.#identify(uevent));
    }
    // An old event may be about an earlier device at this path.
    if (action === 'remove' && known)
      if (known.plugged.number === number || readAttributeNumber(this.#sysfs, path) !== known.plugged.number)
        this.#remove(known);
  }

  /** The device may be gone already and replaced by another: then only its event describes it. */
  #identify(uevent: Uevent): PluggedDevice {
    const number = announcedNumber(uevent.variables);
    const plugged = readDevice(this.#sysfs, uevent.path);
    if (plugged && (plugged.number ?? number) === number) return { ...plugged, number };
    return announcedDevice(uevent);
  }

  #add(event: 'usb-present' | 'usb-connected', plugged: PluggedDevice): void {
    if (this.#known.size >= maxDevices)
      return this.#record({
        event: 'lost',
        message: `more than ${maxDevices} devices: the one at port ${plugged.device.port.slice(0, 100)} is not followed`,
      });
    const known = { plugged, isNew: event === 'usb-connected', functions: new Set<string>(), said: new Set<string>() };
    this.#known.set(plugged.path, known);
    this.#recordDevice(event, plugged.device);
    this.#judge(known);
  }

  #remove({ plugged }: KnownDevice): void {
    this.#known.delete(plugged.path);
    this.#recordDevice('usb-removed', plugged.device);
  }

  #recordDevice(event: 'usb-present' | 'usb-connected' | 'usb-removed', device: UsbDevice): void {
    const isKnown = this.#isKnown(device) && !this.#hasTwin(device);
    this.#record({ event, device, ...(isKnown && { isKnown: true }) });
  }

  /** True if another device there says that it is the same one: what a device says of itself can be copied. */
  #hasTwin({ vendorId, productId, serial, port }: UsbDevice): boolean {
    if (serial === undefined) return false;
    return this.#known.values().some(({ plugged: { device } }) => {
      const isAlike = device.vendorId === vendorId && device.productId === productId && device.serial === serial;
      return isAlike && device.port !== port;
    });
  }

  /** Records a function that the kernel made of a device. */
  #provide(path: string, subsystem: FunctionSubsystem): void {
    const known = this.#above(path);
    if (!known || known.functions.has(path) || known.functions.size >= maxFunctions) return;
    const { found, risk } = readFunction(this.#sysfs, path, subsystem);
    known.functions.add(path);
    this.#record({ event: 'usb-function', port: known.plugged.device.port, ...found });
    if (risk === undefined || known.plugged.device.risks.includes(risk)) return;
    const risks = inOrder(new Set([...known.plugged.device.risks, risk]));
    const device = { ...known.plugged.device, risks };
    const wiser = { ...known, plugged: { ...known.plugged, device } };
    this.#known.set(known.plugged.path, wiser);
    this.#judge(wiser);
  }

  /** Records the risks of a device, each once. */
  #judge(known: KnownDevice): void {
    const { device } = known.plugged;
    if (!device.risks.includes('keyboard')) return;
    if (device.risks.includes('storage'))
      this.#sayOnce(known, { event: 'usb-alarm', device, why: 'storage and keyboard in one device' });
    else if (known.isNew && this.#keyboards() > 1)
      this.#sayOnce(known, { event: 'usb-notice', device, why: 'a second keyboard' });
  }

  #sayOnce({ said }: KnownDevice, record: Extract<SensorRecord, { why: string }>): void {
    if (said.has(record.event)) return;
    said.add(record.event);
    this.#record(record);
  }

  #keyboards(): number {
    return this.#known
      .values()
      .filter(({ plugged }) => plugged.device.risks.includes('keyboard'))
      .toArray().length;
  }

  /** The device that something below it belongs to. */
  #above(path: string): KnownDevice | undefined {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const known = this.#known.get(path.slice(0, end));
      if (known) return known;
    }
    return undefined;
  }

  /** Targets of the links in a folder, below /sys. */
  #list(folder: string): string[] {
    return namesIn(join(this.#sysfs, folder))
      .map((name) => targetOf(join(this.#sysfs, folder, name)))
      .filter((target) => target !== undefined)
      .map((target) => join('/', folder, target));
  }
}

/** Not an interface (`2-1:1.0`), and not a root hub (`usb2`). */
function isDevicePath(path: string): boolean {
  return /\/\d+-[\d.]+$/.test(path);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).slice(0, 2 * maxDevices);
  } catch {
    // No such devices, or no sysfs.
    return [];
  }
}

/** Undefined if it went, or is no link. */
function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}
