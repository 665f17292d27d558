import { basename, dirname, join } from 'node:path';
import { printable } from '../../core/printable.ts';
import type { SensorRecord, UsbRisk } from '../../core/record.ts';
import { readAttribute } from './device.ts';

/** Subsystems of functions that people can use. */
export const functionSubsystems = ['block', 'net', 'input', 'tty'] as const;
export type FunctionSubsystem = (typeof functionSubsystems)[number];

/** What the kernel made of a device: `block sda`, `net usb0`, `input event3`. */
export interface UsbFunction {
  readonly found: Omit<Extract<SensorRecord, { event: 'usb-function' }>, 'event' | 'port'>;
  /** Risk that the function proves, whatever the interfaces claim. */
  readonly risk: UsbRisk | undefined;
}

/** An input device has several nodes; `event3` is the one for all of it. */
export function isFunction(subsystem: string, path: string): subsystem is FunctionSubsystem {
  if (subsystem === 'input') return basename(path).startsWith('event');
  return functionSubsystems.some((known) => known === subsystem);
}

interface Detail {
  readonly bytes?: number | undefined;
  readonly mac?: string | undefined;
  readonly risk?: UsbRisk | undefined;
}

const detailOf: Readonly<Record<FunctionSubsystem, (folder: string) => Detail>> = {
  block: (folder) => ({ bytes: readBytes(folder), risk: 'storage' }),
  net: (folder) => ({ mac: readAttribute(folder, 'address')?.slice(0, 32), risk: 'network' }),
  input: (folder) => ({
    risk: hasLetters(readAttribute(dirname(folder), 'capabilities/key')) ? 'keyboard' : undefined,
  }),
  tty: () => ({}),
};

/** A function as sysfs describes it; only its name if it is gone. */
export function readFunction(sysfs: string, path: string, subsystem: FunctionSubsystem): UsbFunction {
  const { risk, ...detail } = detailOf[subsystem](join(sysfs, path));
  return { found: { subsystem, name: printable(basename(path)).slice(0, maxNameLength), ...detail }, risk };
}

const maxNameLength = 300;
const sectorBytes = 512;
const maxSectors = Math.floor(Number.MAX_SAFE_INTEGER / sectorBytes);

function readBytes(folder: string): number | undefined {
  const sectors = Number(readAttribute(folder, 'size') ?? Number.NaN);
  return Number.isInteger(sectors) && sectors >= 0 && sectors <= maxSectors ? sectors * sectorBytes : undefined;
}

/**
 * True if an input device has the keys from Escape to S (linux/input-event-codes.h, 1 to 31), by its bit mask in words
 * of hexadecimal: so udev tells keyboards from mice and buttons, which have a few keys too.
 */
function hasLetters(keys: string | undefined): boolean {
  const lowest = keys?.trim().split(' ').at(-1) ?? '';
  return /^[\da-f]{1,16}$/.test(lowest) && (BigInt(`0x${lowest}`) & 0xffff_fffen) === 0xffff_fffen;
}
