import { networkInterfaces } from 'node:os';
import { interfaceIndex } from '../../sys/address.ts';

/** Whether a zone, the name or number of a network interface, is one of this machine's. */
export function hasInterface(zone: string): boolean {
  try {
    return interfaceIndex(zone) > 0;
  } catch {
    // No FFI: Node lists the interfaces that have an address.
    return zone in networkInterfaces();
  }
}
