import { z } from 'zod';
import type { UsbDevice } from './record.ts';

const form = /^([0-9a-f]{4}):([0-9a-f]{4})(?:\/([^@\s]{1,200}))?(?:@(\d[\d.-]{0,30}))?$/i;
const expected =
  'expected VENDOR:PRODUCT, with /SERIAL and @PORT where they are to fit as well, like 046d:c31c or 0781:5567/4C53@2-1';

/** A device that belongs to the machine, as people write it. */
const knownDevice = z.string().regex(form, { error: expected });

export const knownDevices = z.array(knownDevice).max(1000).default([]).meta({
  description:
    'Devices that belong to the machine: recorded, and no notice. Vendor, product and serial number are what the device says of itself',
  example: '[046d:c31c, 0781:5567/4C530001@2-1]',
});

/** Says of a device whether it is one of those that are known. */
export function knownBy(written: readonly string[]): (device: UsbDevice) => boolean {
  const known = written.map((text) => form.exec(text)?.slice(1) ?? []);
  return ({ vendorId, productId, serial, port }) =>
    known.some((parts) =>
      [vendorId, productId, serial, port].every((value, index) => {
        const wanted = parts[index];
        return wanted === undefined || wanted.toLowerCase() === value?.toLowerCase();
      }),
    );
}
