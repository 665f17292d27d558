import { readFileSync } from 'node:fs';

/** A capability (capabilities(7)) that an agent can use. */
export interface Privilege {
  readonly name: string;
  readonly isHeld: boolean;
  /** What does not work without it. */
  readonly cost: string;
}

/** By their numbers in linux/capability.h. */
const used = [
  {
    name: 'CAP_NET_RAW',
    number: 13,
    cost: 'no traffic is counted, and ICMP works only where the system lets everybody send echoes',
  },
  {
    name: 'CAP_BPF',
    number: 39,
    cost: 'traffic is counted packet by packet in this process, which takes about ten times the CPU',
  },
];

/** What this process may do beyond an ordinary user; nothing is known where there is no /proc. */
export function privileges(): readonly Privilege[] {
  const effective = effectiveCapabilities();
  if (effective === undefined) return [];
  return used.map(({ name, number, cost }) => ({ name, cost, isHeld: ((effective >> BigInt(number)) & 1n) === 1n }));
}

function effectiveCapabilities(): bigint | undefined {
  try {
    const [, mask] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return mask === undefined ? undefined : BigInt(`0x${mask}`);
  } catch {
    return undefined;
  }
}
