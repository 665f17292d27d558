import { isIPv6 } from 'node:net';
import { AddressRules } from '../../net/dial/address-rules.ts';

type Verdict = 'allow' | 'forbid';

interface RuleGroup {
  readonly family: 4 | 6;
  readonly prefix: number;
  readonly verdict: Verdict;
  readonly rules: AddressRules;
}

interface Lists {
  readonly allow: readonly string[];
  readonly forbid: readonly string[];
}

/** Which peers are allowed and which forbidden: of the networks that cover a peer the smallest decides, of two equal ones `allow`. */
export class PeerRules {
  /** The smallest networks first, `allow` before `forbid`. */
  readonly #groups: readonly RuleGroup[];

  constructor({ allow, forbid }: Lists) {
    const groups = [...groupsOf(allow, 'allow'), ...groupsOf(forbid, 'forbid')];
    this.#groups = groups.toSorted((one, other) => other.prefix - one.prefix);
  }

  /** Undefined if no rule covers the address. */
  of(address: string): Verdict | undefined {
    const family = isIPv6(address) ? 6 : 4;
    const ip = { ip: address, family } as const;
    return this.#groups.find((group) => group.family === family && group.rules.cover(ip))?.verdict;
  }
}

function groupsOf(networks: readonly string[], verdict: Verdict): readonly RuleGroup[] {
  const grouped = Map.groupBy(networks, (network) => `${familyOf(network)} ${prefixOf(network)}`);
  return Array.from(grouped.values(), (same) => ({
    family: familyOf(same[0] ?? ''),
    prefix: prefixOf(same[0] ?? ''),
    verdict,
    rules: new AddressRules(same, verdict),
  }));
}

function familyOf(network: string): 4 | 6 {
  return network.includes(':') ? 6 : 4;
}

function prefixOf(network: string): number {
  const [, prefix] = network.split('/');
  return prefix === undefined ? (familyOf(network) === 6 ? 128 : 32) : Number(prefix);
}
