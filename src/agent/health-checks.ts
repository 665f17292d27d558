import { readFile } from 'node:fs/promises';
import { Failure } from '../core/failure.ts';
import type { Network } from '../core/network.ts';
import type { SelfCheck } from './self-test.ts';

/** A name that cannot exist (RFC 6761, section 6.4): a resolver that answers NXDOMAIN works. */
const canaryName = 'watchkeeper-canary.invalid';

/** Checks that a configured resolver answers; any answer will do. */
export function resolverCheck(net: Network): SelfCheck {
  return async (signal) => {
    try {
      await net.resolve(canaryName, { signal });
      return undefined;
    } catch (error) {
      if (error instanceof Failure && error.reason === 'name-not-found') return undefined;
      return `no resolver answers: ${error instanceof Error ? error.message : String(error)}`;
    }
  };
}

/** Checks that the default gateway is reachable: it answers a ping or has a complete ARP entry. */
export function gatewayCheck(net: Network): SelfCheck {
  return async (signal) => {
    const gateway = defaultGateway(await readText('/proc/net/route'));
    if (gateway === undefined) return 'there is no default route';
    if (await answersEcho(net, gateway, signal)) return undefined;
    const isNeighbour = arpKnows(await readText('/proc/net/arp'), gateway);
    return isNeighbour ? undefined : `the default gateway ${gateway} does not answer`;
  };
}

async function readText(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch(() => '');
}

/** The gateway of the default route in the kernel's table, whose addresses are hexadecimal in host order. */
export function defaultGateway(table: string): string | undefined {
  for (const line of table.split('\n').slice(1)) {
    const [, destination, gateway] = line.split('\t');
    if (destination !== '00000000' || gateway === undefined || gateway === '00000000') continue;
    return [...Buffer.from(gateway, 'hex')].toReversed().join('.');
  }
  return undefined;
}

/** A complete entry of the neighbour table has flag 0x2 (ATF_COM, if_arp.h). */
export function arpKnows(table: string, address: string): boolean {
  return table.split('\n').some((line) => {
    const [ip, , flags] = line.split(/\s+/);
    return ip === address && (Number(flags) & 2) !== 0;
  });
}

async function answersEcho(net: Network, host: string, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const onAbort = (): void => resolve(false);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(1000)]);
  limit.addEventListener('abort', onAbort, { once: true });
  try {
    using channel = await net.openQueries(
      { protocol: 'icmp', host },
      { signal: limit, size: 16, onAnswer: ({ kind }) => resolve(kind === 'reply') },
    );
    channel.send(0);
    return await promise;
  } catch {
    // Pings are not permitted here, so the ARP entry decides.
    return false;
  } finally {
    limit.removeEventListener('abort', onAbort);
  }
}
