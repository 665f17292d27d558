import type { DnsServer } from '../../core/network.ts';
import { formatEndpoint } from '../../core/target.ts';

export const dnsPort = 53;

/** `1.1.1.1:53`, for messages. */
export function peerOf({ address, port }: DnsServer): string {
  return formatEndpoint({ host: address.ip, port });
}
