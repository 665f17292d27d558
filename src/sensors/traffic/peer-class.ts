import { isIPv6 } from 'node:net';
import type { PeerClass } from '../../core/record.ts';
import { AddressRules } from '../../net/dial/address-rules.ts';
import { addressBytes, ipv4Text } from './peer-address.ts';
import type { InterfaceAddress } from './surroundings.ts';

/** Private networks: RFC 1918, RFC 6598 (carrier-grade NAT), RFC 3927, RFC 4193; RFC 4291 for link-local. */
const privateNetworks = new AddressRules(
  ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16', 'fc00::/7', 'fe80::/10'],
  'private networks',
);
/** Multicast, broadcast, and the unspecified address of a host without an address. */
const groups = new AddressRules(['224.0.0.0/4', 'ff00::/8', '255.255.255.255', '0.0.0.0', '::'], 'groups');
const linkLocal = new AddressRules(['169.254.0.0/16', 'fe80::/10'], 'link-local');

export function isCovered(rules: AddressRules, address: string): boolean {
  return rules.cover({ ip: address, family: isIPv6(address) ? 6 : 4 });
}

/** Classifies a peer as seen from this machine's addresses. */
export class PeerClasses {
  readonly #configured: AddressRules;
  #onLink = linkLocal;
  #broadcasts: ReadonlySet<string> = new Set();
  #addresses = '';

  /** `networks` count as intranet in addition to the private ones. */
  constructor(networks: readonly string[]) {
    this.#configured = new AddressRules(networks, 'networks');
  }

  /** Takes the current addresses of the interfaces. */
  update(addresses: readonly InterfaceAddress[]): void {
    const subnets = addresses.map(({ address, prefix }) => `${address}/${prefix}`);
    if (subnets.join() === this.#addresses) return;
    this.#addresses = subnets.join();
    this.#onLink = new AddressRules([...subnets, '169.254.0.0/16', 'fe80::/10'], 'interfaces');
    this.#broadcasts = new Set(addresses.flatMap(broadcastOf));
  }

  of(address: string): PeerClass {
    if (this.isGroup(address)) return 'multicast';
    const isNear = [this.#onLink, this.#configured, privateNetworks].some((rules) => isCovered(rules, address));
    return isNear ? 'intranet' : 'internet';
  }

  /** True for multicast and broadcast, and for the address of a host that has none. */
  isGroup(address: string): boolean {
    return isCovered(groups, address) || this.#broadcasts.has(address);
  }

  /** True for a peer that is reached without a router, so that the MAC address is its own. */
  isOnLink(address: string): boolean {
    return isCovered(this.#onLink, address);
  }
}

/** Broadcast address of an IPv4 subnet (RFC 919); subnets of one or two addresses have none (RFC 3021). */
export function broadcastOf({ address, prefix }: InterfaceAddress): readonly string[] {
  if (isIPv6(address) || prefix > 30) return [];
  const bytes = addressBytes(address).subarray(12);
  bytes.writeUInt32BE((bytes.readUInt32BE(0) | (0xffff_ffff >>> prefix)) >>> 0);
  return [ipv4Text(bytes)];
}
