import { isIP } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { Failure, isDeadline } from '../core/failure.ts';
import type { Address, DnsServer, Family, FamilyChoice, ResolveOptions } from '../core/network.ts';
import { dialTcp } from './dial/dial.ts';
import type { DnsNetwork } from './dns/ask.ts';
import { LookupCache } from './dns/cache.ts';
import { lookUp, type Lookup } from './dns/lookup.ts';
import { reverseName } from './dns/reverse-name.ts';
import { peerOf } from './dns/server.ts';
import { DnsSockets } from './dns/sockets.ts';
import { parseHosts, type Hosts } from './dns/hosts-file.ts';
import { labelsOf } from './packets/dns/name.ts';
import { parseResolvConf, type ResolverSettings } from './dns/resolv-conf.ts';
import { WatchedFile } from './dns/watched-file.ts';

interface ResolverParts {
  readonly clock: Clock;
  readonly hostsPath?: string;
  readonly resolvConfPath?: string;
  /** Instead of the file's servers. */
  readonly servers?: readonly DnsServer[];
}

interface Found {
  readonly address?: Address;
  readonly said: readonly string[];
}

const familiesOf: Readonly<Record<FamilyChoice, readonly Family[]>> = { auto: [4, 6], '4': [4], '6': [6] };
const recordTypeOf = { 4: 'A', 6: 'AAAA' } as const;
const loopback: readonly Address[] = [
  { ip: '127.0.0.1', family: 4 },
  { ip: '::1', family: 6 },
];

/** Names to addresses and back, by the hosts file and the DNS servers of the system, with a cache that keeps to the TTL. */
export class Resolver {
  readonly #clock: Clock;
  readonly #hosts: WatchedFile<Hosts>;
  readonly #settings: WatchedFile<ResolverSettings>;
  readonly #servers: readonly DnsServer[] | undefined;
  readonly #cache: LookupCache;
  readonly #net: DnsNetwork;

  constructor({ clock, hostsPath = '/etc/hosts', resolvConfPath = '/etc/resolv.conf', servers }: ResolverParts) {
    this.#clock = clock;
    this.#hosts = new WatchedFile({ path: hostsPath, clock, parse: parseHosts });
    this.#settings = new WatchedFile({ path: resolvConfPath, clock, parse: parseResolvConf });
    this.#servers = servers;
    this.#cache = new LookupCache(clock);
    this.#net = systemNetwork();
  }

  /** The servers that are asked, in their order. */
  get servers(): readonly DnsServer[] {
    return this.#servers ?? this.#settings.read().servers;
  }

  /** @throws {Failure} name-not-found, resolver-failed; or the signal's reason */
  async resolve(host: string, { family = 'auto', signal }: ResolveOptions): Promise<Address> {
    const families = familiesOf[family];
    const known = this.#known(host);
    for (const wanted of families) {
      const address = known.find((one) => one.family === wanted);
      if (address) return address;
    }
    const said: string[] = [];
    for (const name of isIP(host) === 0 && !isLocalhost(host) ? this.#candidates(host) : []) {
      const found = await this.#find(name, families, signal);
      if (found.address) return found.address;
      said.push(...found.said);
    }
    const what = family === 'auto' ? 'address' : `IPv${family} address`;
    throw new Failure('name-not-found', `${host} has no ${what}${said.length > 0 ? `: ${said.join(', ')}` : ''}.`);
  }

  /** The name of an address; undefined if it has none. @throws {Failure} resolver-failed; or the signal's reason */
  async reverse({ ip }: Address, { signal }: Pick<ResolveOptions, 'signal'>): Promise<string | undefined> {
    const listed = this.#hosts.read().nameOf(ip);
    return listed ?? (await this.#lookUp(reverseName(ip), 'PTR', signal)).data[0];
  }

  /** What needs no server: an address itself, this machine (RFC 6761 section 6.3), the hosts file. */
  #known(host: string): readonly Address[] {
    const version = isIP(host);
    if (version === 4 || version === 6) return [{ ip: host, family: version }];
    return isLocalhost(host) ? loopback : this.#hosts.read().addressesOf(host.toLowerCase());
  }

  /** The full names that a name may stand for, in the order to try them. */
  #candidates(host: string): readonly string[] {
    const { search, ndots } = this.#settings.read();
    const completed = host.endsWith('.') ? [] : search.map((domain) => `${host}.${domain}`);
    const isQualified = host.endsWith('.') || host.split('.').length > ndots;
    const names = isQualified ? [host, ...completed] : [...completed, host];
    return names.filter((name) => labelsOf(name) !== undefined);
  }

  async #find(name: string, families: readonly Family[], signal: AbortSignal): Promise<Found> {
    const said: string[] = [];
    for (const family of families) {
      const lookup = await this.#lookUp(name, recordTypeOf[family], signal);
      const [ip] = lookup.data;
      if (ip !== undefined) return { address: { ip, family }, said };
      said.push(`${lookup.said} for ${name}`);
      if (!lookup.nameExists) break;
    }
    return { said };
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
    return { ...this.#settings.read(), servers: this.servers };
  }

  /** A run whose time ends before a name is found has seen nothing of its target. */
  #tooLate(name: string, reason: DOMException): Failure {
    const asked = this.servers.map(peerOf).join(', ');
    return new Failure('resolver-failed', `Looking ${name} up, asking ${asked}: ${reason.message}`, { cause: reason });
  }
}

function isLocalhost(host: string): boolean {
  return /^(?:.*\.)?localhost\.?$/i.test(host);
}

/** The machine's own resolver settings are its administrator's word: the egress policy for checks has no say in them. */
function systemNetwork(): DnsNetwork {
  const sockets = new DnsSockets();
  return {
    exchangeDns: (server, message) => sockets.exchange(server, message),
    async connect({ host, port }, { signal }) {
      const address: Address = { ip: host, family: isIP(host) === 4 ? 4 : 6 };
      return { socket: await dialTcp(address, port, signal) };
    },
  };
}
