import { Failure } from '../../core/failure.ts';
import type { Address } from '../../core/network.ts';
import { nextHop } from '../../sys/route.ts';

export interface MissingWay {
  /** `agent`: this machine is cut off from the target. `target`: the target is on a network of ours, and is not there. */
  readonly source: 'agent' | 'target';
  /** `the gateway 192.0.2.1 does not answer`. */
  readonly text: string;
}

/**
 * Why no packet reaches an address from here, as far as the kernel knows: a link that is down, or a next station that
 * does not answer. It is asked after silence, or after "host unreachable" that no router reported.
 */
export function missingWay(address: Address): MissingWay | undefined {
  const hop = hopTo(address);
  if (!hop) return undefined;
  const { gateway, interfaceName, isLinkUp, isNeighbourThere } = hop;
  if (!isLinkUp) return { source: 'agent', text: `the network interface ${interfaceName} of this machine is down` };
  if (isNeighbourThere) return undefined;
  if (gateway !== undefined) return { source: 'agent', text: `the gateway ${gateway} of this machine does not answer` };
  return { source: 'target', text: `no host answers for ${address.ip} on ${interfaceName}` };
}

/** The failure that a missing way is; undefined if nothing is known to be missing. */
export function missingWayFailure(
  address: Address,
  { doing, cause }: { doing: string; cause: unknown },
): Failure | undefined {
  const missing = missingWay(address);
  if (!missing) return undefined;
  const { source, text } = missing;
  const as = { source, status: source === 'agent' ? 'unknown' : 'down' } as const;
  return new Failure('unreachable', `${doing}: ${text}.`, { cause, as });
}

/** True if the address is one of this machine's own. */
export function isOwnAddress(address: Address): boolean {
  return hopTo(address)?.isOwn === true;
}

function hopTo(address: Address) {
  try {
    return nextHop(address);
  } catch {
    // No FFI, or no Linux: nothing is known.
    return undefined;
  }
}
