import { closeSync, openSync, readSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { ipv6Text } from '../../net/packets/ipv6.ts';
import { libc } from '../../sys/libc.ts';
import { parseResolvConf } from '../../net/dns/resolv-conf.ts';
import { ipv4Text } from './peer-address.ts';
import { loopbackIndex } from './counting-rules.ts';

export interface InterfaceAddress {
  readonly address: string;
  readonly prefix: number;
}

/** An interface of this machine now. */
export interface Interface {
  readonly index: number;
  readonly name: string;
  readonly addresses: readonly InterfaceAddress[];
  /** Undefined if the link has no MAC address (a tunnel) or the interface has no address. */
  readonly mac: string | undefined;
  /** Bytes since the interface exists, link-layer headers included. */
  readonly sent: number;
  readonly received: number;
}

/** This machine's surroundings in the network, as the kernel reports them. */
export interface Surroundings {
  /** All but loopback. */
  interfaces(): readonly Interface[];
  /** Addresses of the default gateways and of the DNS servers. */
  services(): readonly string[];
  /** MAC address of an IPv4 neighbour; undefined if unknown. */
  macOf(address: string): string | undefined;
}

/** Read anew each time, and not from /sys, which shows the interfaces of the namespace in which it was mounted. */
export const surroundings: Surroundings = {
  interfaces: () => interfacesOf(textOf('/proc/net/dev')),
  services: () => [
    ...gatewaysOf(textOf('/proc/net/route')),
    ...ipv6GatewaysOf(textOf('/proc/net/ipv6_route')),
    ...parseResolvConf(textOf('/etc/resolv.conf')).servers.map(({ address }) => address.ip),
  ],
  macOf: (address) => macIn(textOf('/proc/net/arp'), address),
};

const noMac = '00:00:00:00:00:00';

function interfacesOf(table: string): readonly Interface[] {
  const known = networkInterfaces();
  return table.split('\n').flatMap((line): Interface[] => {
    const [, name = '', columns = ''] = /^\s*([^\s:]+):\s*(.*)$/.exec(line) ?? [];
    const index = name === '' ? 0 : libc().if_nametoindex(name);
    // Index 0: the interface has just disappeared.
    if (index === 0 || index === loopbackIndex) return [];
    const numbers = columns.split(/\s+/).map(Number);
    const [received = 0, sent = 0] = [numbers[0], numbers[8]];
    const addresses = known[name] ?? [];
    const mac = addresses.find(({ mac }) => mac !== noMac)?.mac;
    return [{ index, name, addresses: addresses.map(withPrefix), mac, sent, received }];
  });
}

function withPrefix({ address, cidr }: { address: string; cidr: string | null }): InterfaceAddress {
  const prefix = cidr?.split('/')[1];
  return { address, prefix: prefix === undefined ? 128 : Number(prefix) };
}

/** Gateways of the default routes in /proc/net/route, whose addresses are hexadecimal in host order. */
export function gatewaysOf(table: string): readonly string[] {
  return table.split('\n').flatMap((line) => {
    const [, destination, gateway = ''] = line.split('\t');
    const isDefault = destination === '00000000' && /^[\dA-F]{8}$/.test(gateway) && gateway !== '00000000';
    return isDefault ? [ipv4Text(Buffer.from(Buffer.from(gateway, 'hex').toReversed()))] : [];
  });
}

/** The same from /proc/net/ipv6_route: destination, prefix, source, prefix, gateway, … in network order. */
export function ipv6GatewaysOf(table: string): readonly string[] {
  return table.split('\n').flatMap((line) => {
    const [destination, prefix, , , gateway = ''] = line.split(/\s+/);
    const isDefault = destination === '0'.repeat(32) && prefix === '00' && /^[\da-f]{32}$/.test(gateway);
    return isDefault && gateway !== '0'.repeat(32) ? [ipv6Text(Buffer.from(gateway, 'hex'))] : [];
  });
}

/** MAC address in /proc/net/arp (address, type, flags, MAC, …); an unanswered entry has zeros. */
export function macIn(table: string, address: string): string | undefined {
  for (const line of table.split('\n')) {
    const [ip, , , mac] = line.split(/\s+/);
    if (ip === address) return mac === noMac ? undefined : mac;
  }
  return undefined;
}

/** Enough for a thousand interfaces or routes; the default route comes first. */
const buffer = Buffer.alloc(256 * 1024);

/** Synchronous: it is of the kernel's memory, and small. */
function textOf(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      let length = 0;
      // What is in /proc comes in pieces.
      for (let read = 1; read > 0; length += read) read = readSync(file, buffer, length, buffer.length - length, null);
      return buffer.toString('utf8', 0, length);
    } finally {
      closeSync(file);
    }
  } catch {
    // IPv6 may be off: then there is no such table, and nothing in it.
    return '';
  }
}
