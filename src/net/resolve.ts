import { isIP } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { Failure, isDeadline } from '../core/failure.ts';
import type { Address, DnsServer, Family, FamilyChoice, ResolveOptions } from '../core/network.ts';
import { unmapped } from '../core/target.ts';
import { TtlCache } from '../core/ttl-cache.ts';
import { byPreference } from './dial/address-order.ts';
import { dialTcp } from './dial/dial.ts';
import { OwnAddresses } from './dial/own-addresses.ts';
import type { DnsNetwork } from './dns/ask.ts';
import { findAddresses, nothingFound, notFound, type Found } from './dns/find-addresses.ts';
import { lookUp, type Lookup } from './dns/lookup.ts';
import { parseNameSources, type NameSource } from './dns/nsswitch.ts';
import { reverseName } from './dns/reverse-name.ts';
import { peerOf } from './dns/server.ts';
import { DnsSockets } from './dns/sockets.ts';
import { parseHosts, type Hosts } from './dns/hosts-file.ts';
import { parseResolvConf, type ResolverSettings } from './dns/resolv-conf.ts';
import { WatchedFile } from './dns/watched-file.ts';

interface ResolverParts {
  readonly clock: Clock;
  readonly hostsPath?: string;
  readonly resolvConfPath?: string;
  readonly nsswitchPath?: string;
  /** Instead of the file's servers. */
  readonly servers?: readonly DnsServer[];
  /** Instead of those of this machine. */
  readonly ownAddresses?: Pick<OwnAddresses, 'families' | 'sourceOf'>;
}

/** At least one, in the order in which to try them. */
export type Addresses = readonly [Address, ...Address[]];

const familiesOf: Readonly<Record<FamilyChoice, readonly Family[]>> = { auto: [4, 6], '4': [4], '6': [6] };
const loopback: readonly Address[] = [
  { ip: '127.0.0.1', family: 4 },
  { ip: '::1', family: 6 },
];

/** Names to addresses and back, as the system's own resolver finds them, with a cache that keeps to the TTL. */
export class Resolver {
  readonly #clock: Clock;
  readonly #hosts: WatchedFile<Hosts>;
  readonly #settings: WatchedFile<ResolverSettings>;
  readonly #sources: WatchedFile<readonly NameSource[]>;
  readonly #servers: readonly DnsServer[] | undefined;
  readonly #cache: TtlCache<Lookup>;
  readonly #net: DnsNetwork;
  readonly #own: Pick<OwnAddresses, 'families' | 'sourceOf'>;
  #turn = 0;

  constructor({ clock, ...parts }: ResolverParts) {
    const {
      hostsPath = '/etc/hosts',
      resolvConfPath = '/etc/resolv.conf',
      nsswitchPath = '/etc/nsswitch.conf',
    } = parts;
    this.#clock = clock;
    this.#hosts = new WatchedFile({ path: hostsPath, clock, parse: parseHosts });
    this.#settings = new WatchedFile({ path: resolvConfPath, clock, parse: parseResolvConf });
    this.#sources = new WatchedFile({ path: nsswitchPath, clock, parse: parseNameSources });
    this.#servers = parts.servers;
    this.#cache = new TtlCache<Lookup>(clock);
    this.#net = systemNetwork();
    this.#own = parts.ownAddresses ?? new OwnAddresses(clock);
  }

  /** The servers that are asked, in their order. */
  get servers(): readonly DnsServer[] {
    return this.#servers ?? this.#settings.read().servers;
  }

  /** The first address of a name in the order of RFC 6724. @throws as `resolveAll` */
  async resolve(host: string, options: ResolveOptions): Promise<Address> {
    return (await this.resolveAll(host, options))[0];
  }

  /** The addresses of a name in the order of RFC 6724. @throws {Failure} name-not-found, resolver-failed; or the signal's reason */
  async resolveAll(host: string, { family = 'auto', signal }: ResolveOptions): Promise<Addresses> {
    const families = familiesOf[family];
    const itself = this.#inOrder(addressItself(host, families));
    if (itself) return itself;
    let found = nothingFound;
    for (const source of isIP(host) === 0 ? this.#sources.read() : []) {
      found =
        source === 'files'
          ? { ...found, addresses: this.#listed(host, families) }
          : await this.#ask(host, { families, signal });
      const ordered = this.#inOrder(found.addresses);
      if (ordered) return ordered;
    }
    throw notFound(`${host} has no ${family === 'auto' ? 'address' : `IPv${family} address`}`, found);
  }

  /** The name of an address; undefined if it has none. @throws {Failure} resolver-failed; or the signal's reason */
  async reverse({ ip }: Address, { signal }: Pick<ResolveOptions, 'signal'>): Promise<string | undefined> {
    const listed = this.#hosts.read().nameOf(ip);
    return listed ?? (await this.#lookUp(reverseName(ip), 'PTR', signal)).data[0];
  }

  /** Addresses by the hosts file, and of this machine under any other name (RFC 6761 section 6.3). */
  #listed(host: string, families: readonly Family[]): readonly Address[] {
    const isWanted = ({ family }: Address): boolean => families.includes(family);
    const listed = this.#hosts.read().addressesOf(host.toLowerCase()).filter(isWanted);
    return listed.length === 0 && isLocalhost(host) ? loopback.filter(isWanted) : listed;
  }

  async #ask(host: string, { families, signal }: Search): Promise<Found> {
    if (isLocalhost(host)) return nothingFound;
    const usable = this.#own.families().filter((family) => families.includes(family));
    const others = families.filter((family) => !usable.includes(family));
    return await findAddresses(host, {
      groups: [usable, others].filter(({ length }) => length > 0),
      settings: this.#settings.read(),
      clock: this.#clock,
      signal,
      lookUp: (name, type, limit) => this.#lookUp(name, type, limit),
    });
  }

  #inOrder(addresses: readonly Address[]): Addresses | undefined {
    const [first, ...others] = byPreference(addresses, (destination) => this.#own.sourceOf(destination));
    return first && [first, ...others];
  }

  async #lookUp(name: string, type: string, signal: AbortSignal): Promise<Lookup> {
    const parts = { net: this.#net, settings: this.#settingsNow(), clock: this.#clock };
    try {
      return await this.#cache.get(`${type} ${name.toLowerCase()}`, {
        signal,
        load: (untilNobodyWaits) => lookUp({ name, type }, { ...parts, signal: untilNobodyWaits }),
      });
    } catch (error) {
      throw signal.aborted && isDeadline(signal.reason) ? this.#tooLate(name, signal.reason) : error;
    }
  }

  #settingsNow(): ResolverSettings {
    const settings = this.#settings.read();
    const first = settings.rotate ? this.#turn++ % this.servers.length : 0;
    return { ...settings, servers: [...this.servers.slice(first), ...this.servers.slice(0, first)] };
  }

  /** A run whose time ends before a name is found has seen nothing of its target. */
  #tooLate(name: string, reason: DOMException): Failure {
    const asked = this.servers.map(peerOf).join(', ');
    return new Failure('resolver-failed', `Looking ${name} up, asking ${asked}: ${reason.message}`, { cause: reason });
  }
}

interface Search {
  readonly families: readonly Family[];
  readonly signal: AbortSignal;
}

function addressItself(host: string, families: readonly Family[]): readonly Address[] {
  const ip = unmapped(host);
  const version = isIP(ip);
  if (version !== 4 && version !== 6) return [];
  return families.includes(version) ? [{ ip, family: version }] : [];
}

function isLocalhost(host: string): boolean {
  return /^(?:.*\.)?localhost\.?$/i.test(host);
}

/** The resolver settings are the administrator's own: the egress policy for checks does not apply to them. */
function systemNetwork(): DnsNetwork {
  const sockets = new DnsSockets();
  return {
    exchangeDns: (server, message) => sockets.exchange(server, message),
    async connect({ host, port }, { signal }) {
      const address: Address = { ip: host, family: isIP(host) === 4 ? 4 : 6 };
      return { socket: await dialTcp(address, { port, signal }) };
    },
  };
}
