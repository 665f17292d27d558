import { closeSync, openSync, readSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseResolvConf } from '../../net/dns/resolv-conf.ts';
import { watchNetwork } from '../../sys/network-changes.ts';
import {
  readAddresses,
  readDefaultRoutes,
  readLinks,
  readNeighbours,
  type DefaultRoute,
  type Link,
  type Neighbour,
} from '../../sys/network-tables.ts';
import { nextHop } from '../../sys/route.ts';
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
  /** Undefined if the link has no MAC addresses (a tunnel). */
  readonly mac: string | undefined;
  /** The kernel's word for a virtual one: `bridge`, `veth`, `tun`, …; undefined for hardware. */
  readonly kind?: string | undefined;
  /** Index of the bridge or bond that it is a port of. */
  readonly master?: number | undefined;
  /** Index of the interface that sees its packets as well (of a macvlan the one below it). */
  readonly below?: number | undefined;
  /** Bytes since the interface exists, link-layer headers included. */
  readonly sent: number;
  readonly received: number;
}

/** This machine's surroundings in the network, as the kernel reports them now. */
export interface Surroundings {
  /** All but loopback. */
  interfaces(): readonly Interface[];
  /** Addresses of the machine that no other interface has, as 127.0.0.1. */
  loopbackAddresses(): readonly string[];
  defaultRoutes(): readonly DefaultRoute[];
  /** Addresses of the DNS servers that are asked over the network. */
  resolvers(): readonly string[];
  /** The neighbours whose MAC address is known. */
  neighbours(): readonly Neighbour[];
  /** Asks the kernel itself whether an address is this machine's. */
  isOwn(address: string): boolean;
  /** Calls back at once when any of it has changed, except for the DNS servers. */
  watch(onChange: () => void): Disposable;
}

export const surroundings: Surroundings = {
  interfaces: () => interfacesOf(),
  loopbackAddresses: () =>
    readAddresses()
      .filter(({ interfaceIndex }) => interfaceIndex === loopbackIndex)
      .map(({ address }) => address),
  defaultRoutes: readDefaultRoutes,
  resolvers: () => resolversIn(textOf),
  neighbours: readNeighbours,
  isOwn(address) {
    const family = isIP(address);
    return (family === 4 || family === 6) && nextHop({ ip: address, family })?.isOwn === true;
  },
  watch: watchNetwork,
};

/** Kinds of interfaces whose packets the interface below them sees with the same addresses. */
const stackedKinds = new Set(['vlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap']);

function interfacesOf(): readonly Interface[] {
  const addresses = Map.groupBy(readAddresses(), ({ interfaceIndex }) => interfaceIndex);
  return readLinks()
    .filter(({ index }) => index !== loopbackIndex)
    .map((link) => interfaceOf(link, addresses.get(link.index) ?? []));
}

function interfaceOf({ lower, isUp: _isUp, ...link }: Link, addresses: readonly InterfaceAddress[]): Interface {
  return {
    ...link,
    below: stackedKinds.has(link.kind ?? '') ? lower : undefined,
    addresses: addresses.map(({ address, prefix }) => ({ address, prefix })),
  };
}

const resolvConf = '/etc/resolv.conf';
/** Where resolvers on this machine (systemd-resolved, NetworkManager, resolvconf) keep whom they themselves ask. */
const upstreamFiles = [
  '/run/systemd/resolve/resolv.conf',
  '/run/NetworkManager/no-stub-resolv.conf',
  '/run/dnsmasq/resolv.conf',
] as const;

/** The DNS servers in resolv.conf; behind one on this machine (127.0.0.53), those that it asks. */
export function resolversIn(textOf: (path: string) => string): readonly string[] {
  const serversOf = (path: string): readonly string[] =>
    parseResolvConf(textOf(path)).servers.map(({ address }) => address.ip);
  const servers = serversOf(resolvConf);
  const isLocal = servers.some(isLoopback);
  const upstreams = isLocal ? upstreamFiles.flatMap(serversOf) : [];
  return [...new Set([...servers, ...upstreams])].filter((ip) => !isLoopback(ip));
}

function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1';
}

const maxFileBytes = 64 * 1024;

/** Synchronous: these files are small and in memory. Empty if there is none. */
function textOf(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(maxFileBytes);
      return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}
