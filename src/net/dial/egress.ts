import { networkInterfaces } from 'node:os';
import { Failure } from '../../core/failure.ts';
import type { Address } from '../../core/network.ts';
import { formatEndpoint } from '../../core/target.ts';
import { AddressRules } from './address-rules.ts';
import { embeddedIpv4 } from './embedded-ipv4.ts';

/** Never a target unless allowed. Loopback and private ranges are what people monitor, and stay open. */
const neverTargets = new AddressRules(
  [
    // Unspecified, "this network"; to Linux 0.0.0.0 is this machine.
    '0.0.0.0/8',
    '::',
    // Link-local, with the metadata service of most clouds; the old site-local.
    '169.254.0.0/16',
    'fe80::/10',
    'fec0::/10',
    // Metadata services elsewhere: Alibaba, Azure, Oracle, AWS, Google.
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd20:ce::254',
    // Multicast, reserved, broadcast, discard (RFC 6666).
    '224.0.0.0/4',
    '240.0.0.0/4',
    'ff00::/8',
    '100::/64',
    // NAT64 by local rules (RFC 8215): where the IPv4 address stands is not known here.
    '64:ff9b:1::/48',
  ],
  'ranges denied by default',
);
const loopback = new AddressRules(['127.0.0.0/8', '::1'], 'loopback');

/** The settings of an administrator for an agent. Ranges: `10.0.0.0/8`, one address, or either with a port: `10.0.0.0/8:5432`. */
export interface EgressRules {
  /** May be reached although denied by default. */
  readonly allow?: readonly string[];
  /** May not be reached; wins over `allow`. */
  readonly deny?: readonly string[];
  /** What alone may be reached, whatever the rest says; every address if undefined. */
  readonly only?: readonly string[] | undefined;
  /** Addresses of proxies that may be asked for names. Undefined: every one if nothing is denied or allowed above, else none. */
  readonly proxies?: readonly string[] | undefined;
  /** Ports of our own services, denied by default on every address of this machine. */
  readonly ownPorts?: () => readonly number[];
  /** Says that a target (an address, perhaps with its port) is denied, and what to do about it. */
  readonly refusal?: (target: string, ip: string) => string;
}

function refusalOfAgent(target: string): string {
  return `The egress policy of this agent does not allow ${target}. Its administrator may, by egress.allow.`;
}

type Ranges = Pick<EgressRules, 'allow' | 'deny' | 'proxies'>;

interface Rules {
  readonly allowed: AddressRules;
  readonly denied: AddressRules;
  /** Undefined: every proxy may be asked. */
  readonly proxies: AddressRules | undefined;
}

function rulesOf({ allow = [], deny = [], proxies }: Ranges): Rules {
  const trusted = proxies ?? (allow.length > 0 || deny.length > 0 ? [] : undefined);
  return {
    allowed: new AddressRules(allow, 'egress.allow'),
    denied: new AddressRules(deny, 'egress.deny'),
    proxies: trusted && new AddressRules(trusted, 'egress.proxies'),
  };
}

/** Says whether an address may be reached. It is asked for the connected address, at every connect, redirect and retry. */
export class EgressPolicy {
  #rules: Rules;
  readonly #only: AddressRules | undefined;
  readonly #ownPorts: () => readonly number[];
  readonly #refusal: (target: string, ip: string) => string;

  /** @throws {AppError} invalid-config, naming the range that is none */
  constructor({ ownPorts = () => [], refusal = refusalOfAgent, only, ...ranges }: EgressRules = {}) {
    this.#only = only && new AddressRules(only, '--allow-targets');
    this.#rules = rulesOf(ranges);
    this.#ownPorts = ownPorts;
    this.#refusal = refusal;
  }

  /** Takes other rules from the next connection on; if they are wrong, those before stay. @throws {AppError} invalid-config */
  change(ranges: Ranges): void {
    this.#rules = rulesOf(ranges);
  }

  /** @throws {Failure} denied */
  permit(address: Address, port?: number): void {
    const meanings = everyMeaningOf(address);
    const only = this.#only;
    const isAmong = !only || meanings.every((meaning) => only.cover(meaning, port));
    if (isAmong && meanings.every((meaning) => this.#permits(meaning, port))) return;
    const { ip } = address;
    const target = port === undefined ? ip : formatEndpoint({ host: ip, port });
    if (!isAmong)
      throw new Failure(
        'denied',
        `The administrator of this machine allows no such target (--allow-targets): ${target}.`,
        {
          detail: { address: ip },
        },
      );
    throw new Failure('denied', this.#refusal(target, ip), { detail: { address: ip } });
  }

  /** Whether a proxy may be asked for a name: what it makes of the name nobody here can judge. @throws {Failure} denied */
  permitName(name: string, { address, port }: { readonly address: Address; readonly port: number }): void {
    const { proxies } = this.#rules;
    if (!proxies || everyMeaningOf(address).some((meaning) => proxies.cover(meaning, port))) return;
    const proxy = formatEndpoint({ host: address.ip, port });
    const why = `what ${name} stands for behind the proxy ${proxy} cannot be judged here`;
    const next = 'Its administrator may allow names through that proxy, by egress.proxies';
    throw new Failure('denied', `The egress policy of this agent does not allow it: ${why}. ${next}.`, {
      detail: { proxy },
    });
  }

  #permits(address: Address, port: number | undefined): boolean {
    const { allowed, denied } = this.#rules;
    if (denied.cover(address, port)) return false;
    return allowed.cover(address, port) || !this.#isDeniedByDefault(address, port);
  }

  #isDeniedByDefault(address: Address, port: number | undefined): boolean {
    if (neverTargets.cover(address)) return true;
    return port !== undefined && this.#ownPorts().includes(port) && isThisMachine(address);
  }
}

/** The address without its zone, and every IPv4 address it may stand for: each must be permitted. */
function everyMeaningOf({ ip, family }: Address): readonly Address[] {
  if (family === 4) return [{ ip, family }];
  const [bare = ip] = ip.split('%');
  return [{ ip: bare, family }, ...embeddedIpv4(bare).map((inner): Address => ({ ip: inner, family: 4 }))];
}

/** Whether this is an address of this machine, loopback included. */
export function isThisMachine(address: Address): boolean {
  if (loopback.cover(address)) return true;
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address: ip }) => ip));
  return new AddressRules(own, 'own addresses').cover(address);
}
