import { BlockList } from 'node:net';
import { Failure } from '../core/failure.ts';
import type { Address } from '../core/network.ts';
import { formatEndpoint } from '../core/target.ts';

/** Never a target unless allowed: link-local, cloud metadata, multicast, broadcast and reserved ranges. */
const deniedByDefault: readonly string[] = [
  '169.254.0.0/16',
  'fe80::/10',
  'fd00:ec2::254/128',
  '224.0.0.0/4',
  '240.0.0.0/4',
  'ff00::/8',
];

export interface EgressRules {
  /** CIDR ranges that may be reached although they are denied by default. */
  readonly allow: readonly string[];
  /** CIDR ranges that may not be reached; they win over `allow`. */
  readonly deny: readonly string[];
}

/** Says whether an address may be reached. It is asked for the connected address, at every connect, redirect and retry. */
export class EgressPolicy {
  readonly #denied: BlockList;
  readonly #allowed: BlockList;
  readonly #deniedByDefault = blockListOf(deniedByDefault);

  constructor(rules: EgressRules = { allow: [], deny: [] }) {
    this.#denied = blockListOf(rules.deny);
    this.#allowed = blockListOf(rules.allow);
  }

  /** @throws {Failure} denied */
  permit({ ip, family }: Address, port?: number): void {
    const kind = family === 4 ? 'ipv4' : 'ipv6';
    const denied =
      this.#denied.check(ip, kind) || (this.#deniedByDefault.check(ip, kind) && !this.#allowed.check(ip, kind));
    if (!denied) return;
    const target = port === undefined ? ip : formatEndpoint({ host: ip, port });
    throw new Failure('denied', `The egress policy of this agent does not allow ${target}.`, {
      detail: { address: ip },
    });
  }
}

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', prefix] = range.split('/');
    const kind = network.includes(':') ? 'ipv6' : 'ipv4';
    list.addSubnet(network, Number(prefix ?? (kind === 'ipv4' ? 32 : 128)), kind);
  }
  return list;
}
