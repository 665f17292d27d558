import { create, ip, labHost, removeHosts, type LabHost } from './netlab.ts';

/** A host at the end of a link of its own. */
export interface Leaf extends LabHost {
  readonly address: string;
}

/** Which packets between two hosts are lost on the way. */
export type Cut = readonly [from: Leaf, to: Leaf];

/** Hosts around a hub, leaf n (from 1) with the address 10.92.n.2. All they say to each other passes the hub. */
export interface StarLab extends AsyncDisposable {
  readonly leaves: readonly Leaf[];
  readonly hub: LabHost;
  /** Loses these packets without a word, and no others. */
  cut(...cuts: readonly Cut[]): Promise<void>;
}

let labs = 0;

export async function openStarLab(size: number): Promise<StarLab> {
  const prefix = `watchkeeper-star-${process.pid}-${++labs}`;
  const hub = labHost(`${prefix}-hub`);
  const leaves = Array.from({ length: size }, (_, index) => ({
    ...labHost(`${prefix}-${index + 1}`),
    address: `10.92.${index + 1}.2`,
  }));
  const dispose = (): Promise<void> => removeHosts([hub, ...leaves]);
  try {
    await create(hub);
    for (const [index, leaf] of leaves.entries()) await attach(hub, leaf, index + 1);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    leaves,
    hub,
    cut: (...cuts) => hub.filter(...cuts.map(([from, to]) => `ip saddr ${from.address} ip daddr ${to.address} drop`)),
    [Symbol.asyncDispose]: dispose,
  };
}

async function attach(hub: LabHost, leaf: Leaf, n: number): Promise<void> {
  await create(leaf);
  await ip(hub, `link add leaf${n} type veth peer name uplink netns ${leaf.namespace}`);
  await ip(hub, `address add 10.92.${n}.1/24 dev leaf${n}`, `link set leaf${n} up`);
  await ip(
    leaf,
    `address add ${leaf.address}/24 dev uplink`,
    'link set uplink up',
    `route add default via 10.92.${n}.1`,
  );
}
