import { isIP } from 'node:net';
import type { Address } from '../../core/network.ts';

/** The system's own list of names (hosts(5)). */
export interface Hosts {
  /** Every address of a name, in the order of the file; none if it is not listed. */
  addressesOf(name: string): readonly Address[];
  /** The first name of an address. */
  nameOf(ip: string): string | undefined;
}

export function parseHosts(text: string): Hosts {
  const addresses = new Map<string, Address[]>();
  const names = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [ip = '', ...listed] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(ip);
    if (family !== 4 && family !== 6) continue;
    for (const name of listed.map((word) => word.toLowerCase())) {
      if (!names.has(ip)) names.set(ip, name);
      addresses.getOrInsert(name, []).push({ ip, family });
    }
  }
  return { addressesOf: (name) => addresses.get(name) ?? [], nameOf: (ip) => names.get(ip) };
}
