import type { Mount } from '../core/record.ts';
import { formatEndpoint } from '../core/target.ts';
import type { ContactRecord } from './contact-text.ts';

// The text of records of version 1, for ever as it was: verification compares it byte for byte.

export const firstContactLine = {
  'lan-access': 'local network accessed',
  'forbidden-peer': 'ALARM forbidden peer',
} as const;

/** `device=/dev/sdb1, mountpoint=/media/x, fstype=vfat, opts=rw,nosuid, kind=usb, port=2-1`. */
export function firstMountText({ device, mountpoint, fstype, options, kind, usbPort }: Mount): string {
  const port = usbPort === undefined ? '' : `, port=${usbPort}`;
  return `device=${device}, mountpoint=${mountpoint}, fstype=${fstype}, opts=${options}, kind=${kind}${port}`;
}

/** `tcp 192.168.0.17:22, out, eth0, host.lan, mac 02:00:00:00:00:01`; what comes in is for a port of this machine. */
export function firstContactText(contact: ContactRecord): string {
  const { protocol, peer, port, direction, interface: device, name, mac } = contact;
  const isOut = direction === 'out';
  const known = [
    `${protocol} ${isOut && port !== undefined ? formatEndpoint({ host: peer, port }) : peer}`,
    isOut || port === undefined ? direction : `in to port ${port}`,
    device,
    name,
    mac === undefined ? undefined : `mac ${mac}`,
  ];
  return known.filter((part) => part !== undefined).join(', ');
}
