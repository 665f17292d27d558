import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { printableBytes } from '../../core/printable.ts';
import type { UsbDevice } from '../../core/record.ts';
import type { Uevent } from '../../sys/uevent.ts';
import { readUsbInterfaces } from './descriptors.ts';
import { readSmallFile } from '../../sys/small-file.ts';
import { risksOf } from './risks.ts';

/** An attribute of sysfs is a page at most. */
const attributeBytes = 4096;
/** A device's descriptor and a configuration as long as its length field allows, which is all that sysfs gives. */
const descriptorBytes = 18 + 65_535;

/** A plugged-in device: another number at the same path is another device. */
export interface PluggedDevice {
  /** Below /sys. */
  readonly path: string;
  /** Address on its bus, which the kernel increments with each new device. */
  readonly number: number | undefined;
  readonly device: UsbDevice;
}

/** An attribute of a device as printable text; undefined if it has none or is gone. */
export function readAttribute(folder: string, name: string): string | undefined {
  const bytes = readSmallFile(join(folder, name), attributeBytes);
  return bytes && printableBytes(bytes.subarray(0, lengthWithoutLineEnd(bytes)));
}

function lengthWithoutLineEnd(bytes: Buffer): number {
  return bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
}

/** The current number of the device at a path. */
export function readAttributeNumber(sysfs: string, path: string): number | undefined {
  return numberIn(readAttribute(join(sysfs, path), 'devnum'));
}

/** The device at a path as sysfs describes it, without missing attributes; undefined if there is none. */
export function readDevice(sysfs: string, path: string): PluggedDevice | undefined {
  const folder = join(sysfs, path);
  const read = (name: string): string | undefined => readAttribute(folder, name);
  const [vendorId, productId] = [read('idVendor'), read('idProduct')];
  if (vendorId === undefined || productId === undefined) return undefined;
  const descriptors = readSmallFile(join(folder, 'descriptors'), descriptorBytes);
  const interfaces = descriptors ? readUsbInterfaces(descriptors) : [];
  return {
    path,
    number: numberIn(read('devnum')),
    device: {
      port: portOf(path),
      vendorId,
      productId,
      manufacturer: read('manufacturer'),
      product: read('product'),
      serial: read('serial'),
      version: read('bcdDevice'),
      speedMbit: numberIn(read('speed')),
      interfaces,
      risks: risksOf(interfaces),
      descriptorHash: descriptors && createHash('sha256').update(descriptors).digest('hex'),
    },
  };
}

/** The device as its uevent describes it, for one that was gone before sysfs could be read. */
export function announcedDevice({ path, variables }: Uevent): PluggedDevice {
  const [vendorId = '', productId = '', version = ''] = (variables.get('PRODUCT') ?? '').split('/');
  const device = {
    port: portOf(path),
    vendorId: fourDigits(vendorId),
    productId: fourDigits(productId),
    version: fourDigits(version),
    interfaces: [],
    risks: [],
  };
  return { path, number: announcedNumber(variables), device };
}

export function announcedNumber(variables: Uevent['variables']): number | undefined {
  return numberIn(variables.get('DEVNUM'));
}

/** `2-1`: a path ends with its port. */
function portOf(path: string): string {
  return basename(path).slice(0, 300);
}

function fourDigits(hexadecimal: string): string {
  return /^[\da-f]{1,4}$/i.test(hexadecimal) ? hexadecimal.padStart(4, '0') : '0000';
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}(?:\.\d{1,3})?$/.test(text.trim()) ? Number(text) : undefined;
}
